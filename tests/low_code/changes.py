"""What a change costs: each row is one change of the models, as a developer would write it.

`growth.py` applies them all to a copy of the project, in which the tests in `doors/` run.
README shows the same table; `test_readme.py` compares the two.
"""

from low_code.edits import (
    ORDERS,
    PRODUCTS,
    STATUSES,
    USERS,
    Change,
    Edit,
    catalogue_model,
    insert,
    order_field,
    product_field,
    user_field,
)

CHANGES = (
    Change(
        title="A text of a product",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    colour = models.CharField(
        _("colour"), max_length=12, blank=True, help_text=_("As on the label.")
    )
"""
            ),
        ),
        gives="admin form, list column and filter; product files in and out, with preview and undo;"
        " API bodies, answers and documentation; `?colour=green`",
        warned=("colour",),
    ),
    Change(
        title="A choice, with an index",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    season = models.CharField(
        _("season"),
        max_length=2,
        choices=[("ss", _("Spring and summer")), ("aw", _("Autumn and winter"))],
        blank=True,
        db_index=True,
    )
"""
            ),
        ),
        gives="the same; checkboxes in the admin's filter;"
        " `?season=ss&season=aw`, `?ordering=season`",
    ),
    Change(
        title="A number, a yes or no and a date",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    weight = models.PositiveSmallIntegerField(
        _("weight"), null=True, blank=True, validators=[MaxValueValidator(5000)], db_index=True
    )
    is_fragile = models.BooleanField(_("fragile"), default=False)
    released_on = models.DateField(_("released on"), null=True, blank=True)
"""
            ),
        ),
        gives="the same; ranges in the admin's filter;"
        " `?min_weight=`, `?has_weight=`, `?is_fragile=`, `?released_on_from=`",
        warned=("released_on",),
    ),
    Change(
        title="Six fields of other kinds",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    drawn_at = models.DateTimeField(_("drawn at"), null=True, blank=True)
    discontinued_at = models.DateTimeField(_("discontinued at"), null=True, blank=True)
    tare = models.DecimalField(_("tare"), max_digits=6, decimal_places=3, default=0)
    site = models.URLField(_("site"), blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    supplier_code = models.CharField(
        _("supplier code"), max_length=14, unique=True, null=True, blank=True
    )
"""
            ),
        ),
        gives="the same; all but JSON can be filtered",
        warned=("drawn_at", "discontinued_at", "tare", "site"),
    ),
    Change(
        title="A picture and a file",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    back = PictureField(_("back"), upload_to="products", blank=True)
    manual = models.FileField(_("manual"), upload_to="manuals", blank=True)
"""
            ),
        ),
        gives="admin form, URL in API answers, `?has_back=`, backup; a picture is also re-encoded,"
        " and set with `PUT /products/{product_id}/back/`",
    ),
    Change(
        title="A number that only programs write",
        file=PRODUCTS,
        edits=(
            product_field(
                '    views = models.IntegerField(_("views"), default=0, editable=False)\n'
            ),
        ),
        gives="read-only in admin and API; not in product files",
        warned=("views",),
    ),
    Change(
        title="A field for staff only",
        file=PRODUCTS,
        edits=(
            product_field('    cost = MoneyField(_("cost"), default=0)\n'),
            insert('"cost", ', before='"low_stock_threshold", "is_low", "tax_rate"})'),
        ),
        gives="admin and product files, never the API",
    ),
    Change(
        title="Two further models, one with a relation and a picture",
        file=PRODUCTS,
        edits=(
            catalogue_model(
                '''\
class Country(CleanTextModel):
    """A country of origin."""

    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset()

    name = models.CharField(_("name"), max_length=50, unique=True)

    class Meta:
        verbose_name_plural = _("countries")

    def __str__(self) -> str:
        return self.name


class Brand(CleanTextModel):
    """A brand of products."""

    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset({"margin"})

    name = models.CharField(_("name"), max_length=50, unique=True)
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, verbose_name=_("country")
    )
    logo = PictureField(_("logo"), upload_to="brands", blank=True)
    founded_on = models.DateField(_("founded on"), null=True, blank=True)
    is_local = models.BooleanField(_("local"), default=False)
    margin = MoneyField(_("margin"), default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    def __str__(self) -> str:
        return self.name


'''
            ),
        ),
        gives="admin screen with filters and search, sidebar, rights for the groups, files in and"
        " out, audit log, backup; REST endpoints with filters, sorting, paging and `ETag`",
    ),
    Change(
        title="A foreign key: the brand",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    brand = models.ForeignKey(
        "shop.Brand", models.PROTECT, null=True, blank=True, verbose_name=_("brand")
    )
"""
            ),
        ),
        gives="autocomplete in the admin; names in product files; `brand_id` in the API,"
        " `?brand_id=1&brand_id=2`, `?has_brand=`, `?expand=brand`",
    ),
    Change(
        title="A many-to-many: tags, with their model",
        file=PRODUCTS,
        edits=(
            catalogue_model(
                '''\
class Tag(CleanTextModel):
    """A word to find products by."""

    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset()

    name = models.CharField(_("name"), max_length=50, unique=True)

    def __str__(self) -> str:
        return self.name


'''
            ),
            product_field(
                """\
    tags = models.ManyToManyField("shop.Tag", blank=True, verbose_name=_("tags"))
"""
            ),
        ),
        gives="autocomplete in the admin; `mug; gift` in product files; `tag_ids` in the API,"
        " `?tag_id=`, `?expand=tags`",
    ),
    Change(
        title="A rule: a forbidden price",
        file=PRODUCTS,
        edits=(
            insert(
                """\
    def clean(self) -> None:
        super().clean()
        if self.price == 13:
            raise ValidationError(
                {"price": ValidationError(_("Choose another price."), code="unlucky")}
            )

""",
                before="    def validate_constraints(",
            ),
        ),
        gives="admin, product files and API refuse it, with its message at the field",
    ),
    Change(
        title="Two questions at checkout, one printed on the packing slip",
        file=ORDERS,
        edits=(
            order_field(
                """\
    gift_message = models.CharField(_("gift message"), max_length=200, blank=True)
    pickup_on = models.DateField(_("pickup on"), null=True, blank=True)
"""
            ),
            insert('"gift_message", "pickup_on", ', before='"payment_method", "note"}\n'),
            insert('"gift_message", ', before='"note"})'),
        ),
        gives="checkout, phone order, API answers, admin, list filter, exports, packing slip,"
        " personal-data export and erasure",
        warned=("gift_message", "pickup_on"),
    ),
    Change(
        title="Two fields of an order that staff write",
        file=ORDERS,
        edits=(
            order_field(
                """\
    promised_on = models.DateField(_("promised on"), null=True, blank=True)
    picked_by = models.CharField(_("picked by"), max_length=60, blank=True)
"""
            ),
            insert('"picked_by", ', before='"carrier", "tracking_number", "tracking_url"'),
        ),
        gives="admin, exports, erasure; customers see `promised_on`, not `picked_by`",
        warned=("promised_on",),
    ),
    Change(
        title="A field of an order that only programs write",
        file=ORDERS,
        edits=(
            order_field(
                """\
    channel = models.CharField(
        _("channel"),
        max_length=10,
        choices=[("app", _("App")), ("web", _("Website"))],
        default="app",
        editable=False,
    )
"""
            ),
        ),
        gives="API answers, admin, list filter, exports, erasure",
    ),
    Change(
        title="Two fields of a user",
        file=USERS,
        edits=(
            user_field(
                """\
    company = models.CharField(_("company"), max_length=80, blank=True)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
"""
            ),
        ),
        gives="registration and profile, admin, exports, personal-data export and erasure",
    ),
    Change(
        title="A field of a user that staff write",
        file=USERS,
        edits=(
            user_field('    credit = MoneyField(_("credit"), default=0)\n'),
            insert(
                "from shop.money import MoneyField\n",
                before="\n\nclass LowerEmailField(",
            ),
            insert('"credit", ', before='"email", "role"})'),
        ),
        gives="the same, but read-only for customers",
    ),
    Change(
        title="Relations and a rule of an order",
        file=ORDERS,
        edits=(
            order_field(
                """\
    pickup_point = models.ForeignKey(
        "shop.Country", models.PROTECT, null=True, blank=True, verbose_name=_("pickup point")
    )
    labels = models.ManyToManyField("shop.Tag", blank=True, verbose_name=_("labels"))
"""
            ),
            insert('"pickup_point", ', before='"gift_message", "pickup_on", '),
            insert('"pickup_point", "labels", ', before='"gift_message", "note"})'),
            insert(
                """\
    def clean(self) -> None:
        super().clean()
        if self.note == "unlucky" and self.total_amount:
            raise ValidationError({"note": ValidationError(_("No luck."), code="unlucky")})
        if self.picked_by == "Nobody":
            raise ValidationError({"user": ValidationError(_("Who then?"), code="nobody")})

""",
                before="    def next_statuses(",
            ),
            insert(
                "from django.core.exceptions import ValidationError\n",
                before="from django.db import models\n",
            ),
        ),
        gives="`pickup_point_id` at checkout, `label_ids` by staff, names on slips and in exports",
    ),
    Change(
        title="Relations and a rule of a user",
        file=USERS,
        edits=(
            user_field(
                """\
    home = models.ForeignKey(
        "shop.Country", models.PROTECT, null=True, blank=True, verbose_name=_("home")
    )
    interests = models.ManyToManyField("shop.Tag", blank=True, verbose_name=_("interests"))
"""
            ),
            insert(
                """\
    def clean(self) -> None:
        super().clean()
        if self.first_name == "Unlucky":
            raise ValidationError({"last_name": ValidationError(_("No luck."), code="unlucky")})

""",
                before="    def get_full_name(",
            ),
            insert(
                "from django.core.exceptions import ValidationError\n",
                before="from django.db import models\n",
            ),
        ),
        gives="`home_id` and `interest_ids` in registration and profile, admin, exports, erasure",
    ),
    Change(
        title="An order status",
        file=STATUSES,
        edits=(
            insert('    PACKED = "packed", _("Packed")\n', before='    SHIPPED = "shipped", '),
            Edit(
                "        next=(OrderStatus.SHIPPED, OrderStatus.CANCELLED),\n",
                "        next=(OrderStatus.PACKED, OrderStatus.CANCELLED),\n",
            ),
            insert(
                """\
    OrderStatus.PACKED: StatusFacts(
        next=(OrderStatus.SHIPPED, OrderStatus.CANCELLED),
        role="info",
        action=_("Mark as packed"),
        bulk_action=_("Pack selected orders"),
        waiting_for=_("to be handed over"),
        customer_can_cancel=True,
    ),
""",
                before="    OrderStatus.SHIPPED: StatusFacts(",
            ),
        ),
        gives="buttons, bulk actions, tabs, dashboard tile, labels, API, exports",
    ),
)


def render_table() -> str:
    """Return the changes as a table in Markdown, as README has it."""
    rows = [f"| {c.title} | {c.lines} | {c.gives} |" for c in CHANGES]
    return "\n".join(["| change | lines | what you get |", "| --- | --- | --- |", *rows])
