"""Header lines of exports from Shopify and WooCommerce."""

SHOPIFY_CLASSIC = (
    "Handle,Title,Body (HTML),Published,Option1 Name,Option1 Value,Option2 Value,Variant SKU,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Variant Compare At Price,"
    "Image Src,Variant Image,Status"
)
SHOPIFY_NEW = (
    "Title,URL handle,Description,Published on online store,Status,SKU,Option1 name,"
    "Option1 value,Price,Compare-at price,Inventory quantity,Product image URL,Variant image URL,"
    "Color (product.metafields.shopify.color-pattern),,"
)
WOOCOMMERCE_ENGLISH = (
    'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Is featured?,Visibility in catalog,'
    "Short description,Description,Date sale price starts,Date sale price ends,In stock?,Stock,"
    "Low stock amount,Sale price,Regular price,Images,Parent,Attribute 1 name,Attribute 1 value(s),"
    "Attribute 2 value(s)"
)
WOOCOMMERCE_GERMAN = (
    "ID,Typ,Artikelnummer,Name,Veröffentlicht,Ist hervorgehoben?,Kurzbeschreibung,Beschreibung,"
    '"Datum, an dem Angebotspreis beginnt","Datum, an dem Angebotspreis endet",Vorrätig?,Lager,'
    "Geringe Lagermenge,Angebotspreis,Regulärer Preis,Bilder,Übergeordnetes Produkt,"
    "Attribut 1 Name,Attribut 1 Wert(e)"
)
WOOCOMMERCE_FRENCH = (
    "ID,Type,UGS,Nom,Publié,Mis en avant ?,Description courte,Description,Date de début de promo,"
    "Date de fin de promo,En stock ?,Stock,Montant de stock faible,Tarif promo,Tarif régulier,"
    "Images,Parent,Nom de l\u2019attribut 1,Valeur(s) de l\u2019attribut 1"
)
