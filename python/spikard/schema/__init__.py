"""JSON Schema from Python types.

- `extract`: `extract_json_schema` of a type, `extract_schemas` of a handler
- `build`: `SchemaBuilder`, from types to schemas; `metadata`: from `Annotated` to keywords
- `annotation`: annotations taken apart; `kind`: families of structured types; `field`: their fields
- `returns`: what return annotations mean; `model`: the door to pydantic
"""

from spikard.schema.build import SchemaBuilder, UnsupportedType
from spikard.schema.extract import extract_json_schema, extract_schemas

__all__ = ["SchemaBuilder", "UnsupportedType", "extract_json_schema", "extract_schemas"]
