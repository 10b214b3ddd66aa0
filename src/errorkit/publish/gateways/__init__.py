"""Error pages of gateways: what a proxy in front of the service answers by itself, in the service's dialect.

A failure that the gateway invents (no upstream, a body too large, an unreadable request)
looks like the service's own; an error that the service sent is never touched.
"""

from errorkit.publish.gateways.caddyfile import caddy
from errorkit.publish.gateways.envoy_yaml import envoy
from errorkit.publish.gateways.error_pages import OPTIONS
from errorkit.publish.gateways.nginx_conf import nginx

__all__ = ["OPTIONS", "caddy", "envoy", "nginx"]
