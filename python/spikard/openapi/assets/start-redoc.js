const place = document.getElementById("page");
Redoc.init(place.dataset.document, {}, place);
