# isoenv_add_test(probe) in unknown_environment.cmake: there is no environment "shp", did you mean "shop"?
isoenv_add_test(NAME probe COMMAND probe ENVIRONMENT shp SERVICES order)
isoenv_add_service(order COMMAND node)
