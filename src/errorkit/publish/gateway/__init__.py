"""Error pages of gateways: what a proxy in front of the service answers by itself, in the service's dialect.

A failure that the gateway invents (no upstream, a body too large, an unreadable request)
looks like the service's own; an error that the service sent is never touched.
"""

from errorkit.publish.gateway.caddyfile import caddy
from errorkit.publish.gateway.envoy_yaml import envoy
from errorkit.publish.gateway.nginx_conf import nginx
from errorkit.publish.gateway.pages import OPTIONS

__all__ = ["OPTIONS", "caddy", "envoy", "nginx"]
