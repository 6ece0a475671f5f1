"""Settings shared by all environments; values that differ come from `settings.env`."""

from datetime import timedelta

from settings import content_security, env, unfold

ENVIRONMENT = env.parse_environment(env.load_variables())

BASE_DIR = env.ROOT
SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
FORCE_SCRIPT_NAME = ENVIRONMENT.script_name or None
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.csrf_trusted_origins
DATABASES = {"default": ENVIRONMENT.database}
CACHES = {"default": ENVIRONMENT.cache}
MAILERS = {"default": ENVIRONMENT.mailer}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.mail_from

SHOP_NAME = ENVIRONMENT.shop_name
SHOP_CURRENCY = ENVIRONMENT.shop_currency
# Percent of tax that prices contain; None without tax. A product may have its own.
SHOP_TAX_RATE = ENVIRONMENT.shop_tax_rate
SHOP_IMPRINT = ENVIRONMENT.shop_imprint
SHOP_FONTS = ENVIRONMENT.shop_fonts
SHOP_ENVIRONMENT = ENVIRONMENT.shop_environment
# (label, email, password) shown on the login page; only the process of `manage.py demo` fills it.
SHOP_DEMO_LOGINS: list[tuple[str, str, str]] = []
# Whether `manage.py demo`, whose passwords are public, and `manage.py test` may run.
SHOP_DEVELOPMENT_COMMANDS = False
SHOP_PAYMENT_METHODS = ENVIRONMENT.payment_methods
SHOP_PAYMENT_GATEWAY = ENVIRONMENT.payment_gateway
SHOP_PAYMENT_WEBHOOK_SECRET = ENVIRONMENT.payment_webhook_secret
SHOP_PUBLIC_CATALOG = ENVIRONMENT.public_catalog
SHOP_TWO_FACTOR = ENVIRONMENT.two_factor
OTP_TOTP_ISSUER = SHOP_NAME
SHOP_ADMIN_IDLE_MINUTES = ENVIRONMENT.admin_idle_minutes
SHOP_RESET_URL = ENVIRONMENT.reset_url
SHOP_ORDER_URL = ENVIRONMENT.order_url
SHOP_TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
SHOP_RATES = {
    "login": ENVIRONMENT.rate_login,
    "register": ENVIRONMENT.rate_register,
    "api": ENVIRONMENT.rate_api,
}
JWT_SIGNING_KEYS = ENVIRONMENT.jwt_signing_keys
JWT_ISSUER = JWT_AUDIENCE = "shop"
ACCESS_LIFETIME = timedelta(days=1)
REFRESH_LIFETIME = timedelta(days=7)
SESSION_LIFETIME = timedelta(days=30)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",  # before the library, whose templates it replaces
    "import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",  # keeps uploads of further models until they are confirmed
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_tasks_db",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "ninja",  # serves the assets of the API documentation locally instead of from a CDN
    "shop",
]
MIDDLEWARE = [
    # These three only add headers; they come first, so that every response has them.
    "shop.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "corsheaders.middleware.CorsMiddleware",  # before the API, so that browsers can read its errors
    "shop.api.middleware.ApiMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "shop.middleware.BrowserSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "shop.middleware.RequestLimitsMiddleware",  # before anything reads the body
    "django_otp.middleware.OTPMiddleware",
    "shop.admin.two_factor.TwoFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "ninja.compatibility.files.fix_request_files_middleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [env.ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "settings.urls"
WSGI_APPLICATION = "settings.wsgi.application"

AUTH_USER_MODEL = "shop.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "shop.password_words.PasswordWordsValidator"})
LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "shop.models.browser_sessions"

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "settings.formats"
TIME_ZONE = ENVIRONMENT.shop_time_zone
USE_TZ = True

# With the prefix, which Django adds too late for a WSGI server: its handler reads them before.
STATIC_URL = f"{ENVIRONMENT.script_name}/static/"
STATIC_ROOT = env.ROOT / ".static"
MEDIA_URL = f"{ENVIRONMENT.script_name}/media/"
MEDIA_ROOT = ENVIRONMENT.media_root

# `manage.py worker` runs tasks that take too long for a request.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# The limit of a JSON body per the API document; uploaded files have limits of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

CORS_ALLOWED_ORIGINS = ENVIRONMENT.cors_allowed_origins
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
]
CORS_EXPOSE_HEADERS = ["ETag", "Idempotent-Replayed", "Retry-After", "X-Request-Id"]
WHITENOISE_ALLOW_ALL_ORIGINS = False

SECURE_CSP = content_security.DENY_ALL
CSP_BY_PREFIX = content_security.POLICY_BY_PREFIX
CSRF_FAILURE_VIEW = "shop.admin.error_views.csrf_failure"
CSRF_COOKIE_HTTPONLY = True  # forms contain the token; no script reads the cookie

UNFOLD = unfold.unfold_settings(SHOP_NAME)
