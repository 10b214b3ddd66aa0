"""A Django project with Django REST framework: its settings, its routes and its two applications."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["api.test"],
        INSTALLED_APPS=["rest_framework"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for tests",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    )
    django.setup()

from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponseForbidden, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET
from rest_framework import exceptions, serializers
from rest_framework.views import APIView

from errorkit import ConflictError
from frameworks.applications import SECRET


def raising(error: Exception) -> Any:
    def view(request: Any) -> Any:
        raise error

    return view


class Line(serializers.Serializer[Any]):
    sku = serializers.CharField()
    count = serializers.IntegerField()


class Order(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=3)
    lines = Line(many=True)
    tags = serializers.ListField(child=serializers.IntegerField(), required=False)
    address = Line(required=False)

    def validate(self, value: Any) -> Any:
        raise serializers.ValidationError("The whole is wrong.")


class Orders(APIView):
    def post(self, request: Any) -> Any:
        Order(data=request.data).is_valid(raise_exception=True)


def rest(error: Exception) -> Any:
    class View(APIView):
        def get(self, request: Any) -> Any:
            raise error

    return View.as_view()


urlpatterns = [
    path("missing", raising(Http404("No thing 7."))),
    path("crash", raising(ValueError(SECRET))),
    path("denied", raising(PermissionDenied(SECRET))),
    path("suspicious", raising(SuspiciousOperation(SECRET))),
    path("declared", raising(ConflictError("Version 7 is already published."))),
    path("get", require_GET(lambda request: JsonResponse({}))),
    path("branded", lambda request: HttpResponseForbidden("<h1>Acme</h1><p>Not yours.</p>")),
    path("form", lambda request: JsonResponse({"name": ["This field is required."]}, status=400)),
    path("rest/own", rest(exceptions.NotFound("No thing 7."))),
    path("rest/denied", rest(exceptions.PermissionDenied())),
    path("rest/throttled", rest(exceptions.Throttled(wait=7))),
    path("rest/down", rest(exceptions.APIException(SECRET))),
    path("rest/words", rest(exceptions.ValidationError(["One.", "Two."]))),
    path("rest/crash", rest(ValueError(SECRET))),
    path("rest/declared", rest(ConflictError("Version 7 is already published."))),
    path("rest/orders", Orders.as_view()),
]

wsgi = get_wsgi_application()
asgi = get_asgi_application()
