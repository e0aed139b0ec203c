# isoenv_add_service(user): unknown word "DEPEND" after COMMAND, did you mean "DEPENDS"? (A value spelt like this is written "$<1:DEPEND>".)
isoenv_add_service(user COMMAND node server.js DEPEND order)
