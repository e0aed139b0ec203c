# isoenv_add_test(probe) in unknown_service.cmake: SERVICES: there is no service "ordr" in environment "shop", did you mean "order"?
isoenv_add_test(NAME probe COMMAND probe SERVICES ordr)
isoenv_add_service(order COMMAND node)
