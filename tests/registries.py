"""What tests do with the package's registries, undone when they are over."""

REMEMBERED = ("_loaded", "_registered", "_unusable")


def keep_as_it_is(registry, monkeypatch):
    """Whatever is registered, loaded or found unusable from here on is forgotten when the patches are undone."""
    for name in REMEMBERED:
        monkeypatch.setattr(registry, name, vars(registry)[name].copy())
