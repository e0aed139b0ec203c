// `isoenv env`: the variables that a test finds in its environment, and with --json all that a
// program may want to know of an instance.
#include <iostream>

#include "harness/command.h"
#include "harness/description.h"
#include "harness/options.h"
#include "harness/session.h"

namespace isoenv {

int env_command(const std::vector<std::string>& arguments) {
  const EnvOptions options = parse_env(arguments);
  ControlClient client = connect_to_instance({options.file, options.name});
  Request request;
  request.kind = Request::Kind::kDescribe;
  const std::optional<Answer> answer = client.ask(request);
  if (!answer || answer->ending) throw Error("the instance has just ended");
  if (answer->error) throw *answer->error;
  std::cout << (options.json ? answer->report + "\n" : variables_text(answer->report))
            << std::flush;
  return 0;
}

}  // namespace isoenv
