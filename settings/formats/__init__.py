"""How dates are written: `settings.formats.<language>.formats`, as Django looks for them."""
