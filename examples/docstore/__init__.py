"""The domain of both example services: projects and documents of tenants behind API keys.

Nothing here knows a web framework or an envelope.
"""
