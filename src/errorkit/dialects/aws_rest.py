"""AWS' JSON error, protocol restJson1: the same members under another media type."""

from __future__ import annotations

from errorkit.dialects.aws import AWS


class AWSRest(AWS):
    """As `aws`, for clients of services with resources and methods."""

    name = "aws_rest"
    media_type = "application/json"
