# isoenv_add_service(order) in depends_unknown.cmake: DEPENDS: there is no service "usr" in environment "shop", did you mean "user"?
# isoenv_add_service(cart) in depends_unknown.cmake: DEPENDS: there is no service "oder" in environment "shop", did you mean "order"?
isoenv_add_service(user COMMAND node)
isoenv_add_service(order COMMAND node DEPENDS usr)
isoenv_add_service(cart COMMAND node DEPENDS oder)
