"""Cases whose answer only an application can give: the framework's part is to reach the handler."""

# Refusals by the example application, by case.
REFUSALS = {
    "multipart/14_file_size_validation_fail": "the application bounds the size; the declaration has no bound",
    "status_codes/11_403_forbidden": "the application decides who may do what",
    "status_codes/17_408_request_timeout": "the application answers 408 by itself; no timeout is set",
}

# Values that the example application has changed before it shows them: case, argument.
SHOWN_OTHERWISE = {
    ("edge_cases/05_special_string_values", "unicode_escapes"): "escaped backslashes stay; the case shows them decoded",
    ("http_methods/09_delete_with_response", "id"): "declared as text, shown as number",
    ("http_methods/07_patch_multiple_fields", "id"): "declared as text, shown as number",
    ("path_params/37_type_syntax_int", "user_id"): "the converter gives a number, the case shows its text",
}

# Headers that the example's handler sets, though the framework may set them too.
SET_BY_HANDLER = {
    ("cors/09_cors_expose_headers", "x-request-id"),
    # Nothing in the case says which of the keys is the old one.
    ("auth/16_api_key_rotation_old_key", "x-api-key-deprecated"),
}
