"""Edits of the model files, and the rows of the table in `changes.py`."""

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
