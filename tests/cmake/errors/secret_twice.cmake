# isoenv_add_task(seed): SECRET_ENV: "TOKEN" is given twice
isoenv_add_task(seed COMMAND node SECRET_ENV TOKEN TOKEN)
