"""The API of models that are new: lists, changes and names of operations."""

from support import factories
from support.api_bodies import error_fields

from shop.api.app import api


def test_a_further_model_is_filtered_searched_sorted_and_paged(
    carls_app, create_brand, create_country
):
    japan = create_country("Japan")
    create_brand("Zen", country=japan, founded_on="1999-01-01", is_local=True)
    create_brand("Kiln & Sons")
    create_brand("Ash", founded_on="2020-01-01")

    def names(query):
        return [item["name"] for item in carls_app.get(f"/brands/?{query}").json()["items"]]

    assert names("") == ["Zen", "Kiln & Sons", "Ash"]
    assert names("ordering=name") == ["Ash", "Kiln & Sons", "Zen"]
    assert names("search=sons+KILN") == ["Kiln & Sons"]
    assert names("search=sons+zen") == []
    assert names(f"country_id={japan.pk}") == names("is_local=true") == ["Zen"]
    assert names("founded_on_from=2000-01-01") == ["Ash"]
    assert names("has_founded_on=false") == ["Kiln & Sons"]
    first = carls_app.get("/brands/?page_size=1&name=Zen&name=Ash&ordering=-name").json()
    second = carls_app.get(first["next"].removeprefix("http://testserver/api")).json()
    assert [p["items"][0]["name"] for p in (first, second)] == ["Zen", "Ash"]
    assert (first["count"], second["count"], second["next"]) == (2, 2, None)
    expanded = carls_app.get("/brands/?expand=country&name=Zen").json()["items"][0]
    assert expanded["country"] == {"id": japan.pk, "name": "Japan"}
    assert error_fields(carls_app.get("/brands/?margin=1"))[0][0] == "margin"


def test_a_further_model_is_created_once_and_changed_with_a_condition(adas_app, carls_app):
    key = {"Idempotency-Key": "brand-1"}
    created = adas_app.post("/brands/", {"name": "Kiln"}, **key)
    again = adas_app.post("/brands/", {"name": "Kiln"}, **key)
    assert (created.status_code, again.json()) == (201, created.json())
    path = f"/brands/{created.json()['id']}/"
    found = carls_app.get(path)
    assert (found.json(), found["ETag"]) == (created.json(), created["ETag"])
    unmodified = carls_app.get(path, **{"If-None-Match": found["ETag"]})
    assert (unmodified.status_code, unmodified.content) == (304, b"")

    changed = adas_app.patch(path, {"is_local": True}, **{"If-Match": found["ETag"]})
    assert (changed.status_code, changed.json()["is_local"]) == (200, True)
    for method in (adas_app.put, adas_app.patch):
        refused = method(path, {"name": "Other"}, **{"If-Match": found["ETag"]})
        assert factories.problem_code(refused) == (412, "precondition-failed")
    assert error_fields(adas_app.patch(path, {"country_id": 99})) == [("country_id", "invalid")]
    assert factories.problem_code(carls_app.patch(path, {"name": "X"})) == (403, "forbidden")
    refused = adas_app.delete(path, **{"If-Match": found["ETag"]})
    assert factories.problem_code(refused) == (412, "precondition-failed")
    assert carls_app.get(path).json() == changed.json()
    assert adas_app.delete(path, **{"If-Match": changed["ETag"]}).status_code == 204
    assert carls_app.get("/brands/").json()["count"] == 0


def test_the_operations_of_a_further_model_are_named_after_it():
    paths = api.get_openapi_schema()["paths"]
    names = {
        about["operationId"]
        for path, methods in paths.items()
        for about in methods.values()
        if path.startswith("/api/brands/") or path.endswith("/back/")
    }
    verbs = ("list", "get", "create", "replace", "change", "delete")
    assert names == {
        *(f"{verb}_brand" for verb in verbs),
        *("set_brand_logo", "remove_brand_logo", "set_product_back", "remove_product_back"),
    }
