"""What is wrong with settings for TLS without their files, the same for all outlets."""

CPYTHON_ONLY = True  # a board's certificates go with its image


def faults(settings, where):
    """Return (key, what is allowed) of those without effect; `where`: without what there is no TLS, "" if there is."""
    if where:
        keys = ("tls_ca", "tls_name", "tls_certificate", "tls_key")
        return [(key, "null " + where) for key in keys if settings.get(key)]
    if settings.get("tls_key") and not settings.get("tls_certificate"):
        return [("tls_certificate", "our certificate, as there is its key")]
    return []
