# isoenv_add_service(user): the generator expression "$<IF:1,{{self.port}},80>" contains a template
isoenv_add_service(user COMMAND node "--port=$<IF:1,{{self.port}},80>")
