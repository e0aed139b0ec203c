# DEPENDS: environment "shop" has a cycle: b -> c -> a -> b
isoenv_add_service(b COMMAND node DEPENDS c)
isoenv_add_service(c COMMAND node DEPENDS a)
isoenv_add_service(a COMMAND node DEPENDS b)
