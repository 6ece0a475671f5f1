"""What a change costs: each row is one change of the models, as a developer would write it.

`growth.py` applies them all to a copy of the project, in which the tests in `doors/` run.
README shows the same table; `test_readme.py` compares the two.
"""

from dataclasses import dataclass

PRODUCTS = "shop/models/products.py"
ORDERS = "shop/models/orders.py"
USERS = "shop/models/users.py"
STATUSES = "shop/models/order_status.py"


@dataclass(frozen=True)
class Edit:
    """Replaces `old`, which is in the file once, by `new`."""

    old: str
    new: str


def insert(text: str, *, before: str) -> Edit:
    return Edit(before, text + before)


def product_field(text: str) -> Edit:
    return insert(text, before="    search_text = SearchTextField(")


def order_field(text: str) -> Edit:
    return insert(text, before='    created_at = models.DateTimeField(_("placed")')


def user_field(text: str) -> Edit:
    return insert(text, before='    created_at = models.DateTimeField(_("created")')


def catalogue_model(text: str) -> Edit:
    return insert(text, before="class StockMovement(models.Model):")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row of the table: a file of models and its edits."""

    title: str
    file: str
    edits: tuple[Edit, ...]
    #: What is then there without further code, as README says it.
    gives: str
    #: Fields that the system check warns of, since large tables are filtered by them unindexed.
    warned: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """The number of lines that are added or edited, blank ones not counted."""
        return sum(_changed_lines(edit) for edit in self.edits)


def _changed_lines(edit: Edit) -> int:
    """Return how many lines of the new text, which are not blank, are not in the old one."""
    old = edit.old.splitlines()
    return len([line for line in edit.new.splitlines() if line.strip() and line not in old])


FIELD = "admin form and list, product files in and out, API bodies and answers, documentation"
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
        gives=f"{FIELD}; filter `colour`",
        warned=("colour",),
    ),
    Change(
        title="A choice, indexed",
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
        gives="the same; several by `season=ss&season=aw`; sorting",
    ),
    Change(
        title="A number, a yes or no, a date",
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
        gives="the same; `min_weight`, `has_weight`, `is_fragile`, `released_on_from`",
        warned=("released_on",),
    ),
    Change(
        title="Fields of every other kind",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    drawn_at = models.DateTimeField(_("drawn at"), null=True, blank=True)
    discontinued_at = models.DateTimeField(_("discontinued at"), null=True, blank=True)
    tare = models.DecimalField(_("tare"), max_digits=6, decimal_places=3, default=0)
    site = models.URLField(_("site"), blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    barcode = models.CharField(
        _("barcode"), max_length=14, unique=True, null=True, blank=True
    )
"""
            ),
        ),
        gives="the same, as far as the kind can be filtered",
        warned=("drawn_at", "discontinued_at", "tare", "site"),
    ),
    Change(
        title="A picture, a file",
        file=PRODUCTS,
        edits=(
            product_field(
                """\
    back = PictureField(_("back"), upload_to="products", blank=True)
    manual = models.FileField(_("manual"), upload_to="manuals", blank=True)
"""
            ),
        ),
        gives="admin form with the same cleaning as a product's picture, URL in the API, backup",
    ),
    Change(
        title="A number that only programs write",
        file=PRODUCTS,
        edits=(
            product_field(
                '    views = models.IntegerField(_("views"), default=0, editable=False)\n'
            ),
        ),
        gives="read-only in the admin and in the API; in no file",
        warned=("views",),
    ),
    Change(
        title="A field for staff only",
        file=PRODUCTS,
        edits=(
            product_field('    cost = MoneyField(_("cost"), default=0)\n'),
            insert('"cost", ', before='"low_stock_threshold", "is_low"})'),
        ),
        gives="admin and product files; never in the API",
    ),
    Change(
        title="A further model, with a relation and a picture",
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
        gives="admin screen, sidebar, rights of the groups, files in and out, REST, backup",
    ),
    Change(
        title="A foreign key to it",
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
        gives="autocomplete, names in files, `brand_id`, `has_brand`, `expand=brand`",
    ),
    Change(
        title="Tags: a many-to-many",
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
        gives="autocomplete, `mug; gift` in files, `tag_ids`, `tag_id`, `expand=tags`",
    ),
    Change(
        title="A rule",
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
        gives="admin, product files and API refuse the price, at its field",
    ),
    Change(
        title="A question at checkout",
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
        gives="checkout and phone order, answers, admin, list filter, exports, packing slip,"
        " personal data, erasure",
        warned=("gift_message", "pickup_on"),
    ),
    Change(
        title="A field of an order that staff write",
        file=ORDERS,
        edits=(
            order_field(
                """\
    promised_on = models.DateField(_("promised on"), null=True, blank=True)
    picked_by = models.CharField(_("picked by"), max_length=60, blank=True)
"""
            ),
            insert('"picked_by", ', before='"carrier", "tracking_number"})'),
        ),
        gives="admin, exports, erasure; customers see `promised_on`, but not `picked_by`",
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
        gives="answers, admin, list filter, exports, erasure",
    ),
    Change(
        title="A field of a user",
        file=USERS,
        edits=(
            user_field(
                """\
    company = models.CharField(_("company"), max_length=80, blank=True)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
"""
            ),
        ),
        gives="registration and profile, admin, exports, personal data, erasure",
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
        gives="buttons, bulk actions, tabs, tiles, labels, API, exports",
    ),
)
