#include "harness/help.h"

#include <cassert>

namespace isoenv {
namespace {

CommandHelp up_help() {
  return {
      "isoenv up [OPTION…] [SERVICE…]",
      "Starts the services named and all they depend on (without names: every service and task of\n"
      "the spec), each in its own network namespace, and returns when they are ready. What is up\n"
      "already stays as it is, so 'up' may be repeated, also at the same time. The instance ends\n"
      "with its owner, however that ends, or by 'isoenv down'.",
      "  0    all services asked for are ready\n"
      "  1    a service failed or was not ready in time; the reason and its last lines are "
      "printed\n"
      "  2    wrong command line, or a spec with faults\n"
      "  77   this machine does not grant the isolation\n",
      "  isoenv up -f shop.json\n"
      "  isoenv exec -- curl http://gateway:8080/\n"
      "  isoenv down\n"};
}

CommandHelp down_help() {
  return {
      "isoenv down [OPTION…] [SERVICE…]",
      "Stops the services named, or the whole instance: dependents first, each with its stop\n"
      "signal, then by force when its stop timeout is over. It is no error when nothing is up.\n"
      "Logs and scratch data stay in the artefact directory.",
      "  0    stopped, or nothing was up\n"
      "  1    a service ended badly, or had before\n"
      "  2    wrong command line, or several instances could be meant\n",
      "  isoenv down -f shop.json\n"};
}

CommandHelp exec_help() {
  return {
      "isoenv exec [OPTION…] [--] COMMAND [ARG…]",
      "Runs a command inside an instance that is up: in its network, where services are reached\n"
      "by name, with the ISOENV_* variables and in a process namespace of its own. Under ctest it\n"
      "is the instance of that ctest run; elsewhere the one of the spec and name, or the only one\n"
      "that is up. Input, output, signals and the exit code are the command's own. With --in it runs\n"
      "in the place of one service, and ends with it; its program is looked up in that service's\n"
      "PATH, then in yours.",
      "  any  the command's exit code, or 128 + n when signal n ended it\n"
      "  1    the command ended with 0, but a service that it uses failed\n"
      "  2    wrong command line, or several instances could be meant\n"
      "  77   this machine does not grant the isolation\n"
      "  125  isoenv itself failed: no instance is up, or a service is not ready\n",
      "  isoenv exec --service gateway -- curl http://gateway:8080/\n"
      "  isoenv exec --in gateway -- gdb -p 2\n"};
}

CommandHelp shell_help() {
  return {
      "isoenv shell [OPTION…] SERVICE",
      "Opens a shell ($SHELL, else sh) in the place of a running service: in its network, among its\n"
      "processes, with its environment and in its working directory, with the rights that gdb,\n"
      "strace and tcpdump need. It ends with the service.",
      "  any  the shell's exit code, or 128 + n when signal n ended it\n"
      "  2    wrong command line, or several instances could be meant\n"
      "  77   this machine does not grant the isolation\n"
      "  125  isoenv itself failed: no instance is up, or the service is not running\n",
      "  isoenv shell order\n"};
}

CommandHelp run_help() {
  return {
      "isoenv run [OPTION…] [--] COMMAND [ARG…]",
      "Starts an instance for one command, runs the command inside when the services are ready,\n"
      "and takes everything down when it ends. Without a spec the instance is empty: a private\n"
      "loopback on which any port is free, so that tests which start servers on fixed ports can\n"
      "run side by side. Input, output, signals and the exit code are the command's own.",
      "  any  the command's exit code, or 128 + n when signal n ended it\n"
      "  1    the command ended with 0, but a service failed\n"
      "  2    wrong command line, or a spec with faults\n"
      "  77   this machine does not grant the isolation\n"
      "  125  isoenv itself failed, or a service was not ready in time\n",
      "  isoenv run -f shop.json -- pytest tests/\n"
      "  isoenv run -- ./server_test        # an empty private environment\n"};
}

CommandHelp ps_help() {
  return {"isoenv ps [OPTION…]",
          "Shows the services of an instance that is up: state, process id, address, ports, time "
          "since\n"
          "the start, restarts and readiness. Under ctest it is the instance of that ctest run;\n"
          "elsewhere the one of the spec and name, or the only one that is up.",
          "  0    shown\n"
          "  1    no instance is up\n"
          "  2    wrong command line, or several instances could be meant\n",
          "  isoenv ps --json\n"};
}

CommandHelp env_help() {
  return {"isoenv env [OPTION…]",
          "Prints the variables of an instance that is up, a NAME=value line each, as 'exec' and\n"
          "'run' set them for a test. With --json it tells all that does not change while the\n"
          "instance lives: places, variables, and the host, ports, URLs and log of each service.",
          "  0    printed\n"
          "  1    no instance is up\n"
          "  2    wrong command line, or several instances could be meant\n",
          "  isoenv env --json\n"};
}

constexpr char kFaultCodes[] =
    "  0    done\n"
    "  1    it cannot be done as the service is now, or a service did not become ready\n"
    "  2    wrong command line, or several instances could be meant\n";

CommandHelp stop_help() {
  return {"isoenv stop [OPTION…] SERVICE…",
          "Stops the services named, each with its stop signal, then by force when its stop timeout\n"
          "is over. Nothing else is touched: unlike 'down', those that depend on them stay up, and the\n"
          "instance stays too.",
          kFaultCodes, "  isoenv stop order\n  isoenv start order\n"};
}

CommandHelp start_help() {
  return {"isoenv start [OPTION…] SERVICE…",
          "Starts services that were stopped, killed or have ended, and waits until they are ready.\n"
          "What they depend on is started too, but for what was stopped, killed or paused on purpose.",
          kFaultCodes, "  isoenv start order\n"};
}

CommandHelp restart_help() {
  return {"isoenv restart [OPTION…] SERVICE…",
          "Stops the services named as 'stop' does, then starts them as 'start' does. Nothing else is\n"
          "touched: those that depend on them stay up.",
          kFaultCodes, "  isoenv restart order\n"};
}

CommandHelp kill_help() {
  return {"isoenv kill [OPTION…] SERVICE…",
          "Sends a signal to the main process of the services named: the one that the service's\n"
          "command became. With SIGKILL, the default, it returns when they have ended; then nothing\n"
          "of them runs any more. It is no failure of the instance.",
          kFaultCodes, "  isoenv kill --signal SIGHUP order\n"};
}

CommandHelp pause_help() {
  return {"isoenv pause [OPTION…] SERVICE…",
          "Makes every process of the services named stand still (SIGSTOP). Their sockets stay:\n"
          "the kernel still takes connections, and nobody answers. 'isoenv resume' lets them go on.",
          kFaultCodes, "  isoenv pause order\n"};
}

CommandHelp resume_help() {
  return {"isoenv resume [OPTION…] SERVICE…",
          "Lets every process of paused services go on (SIGCONT), and waits until they are ready\n"
          "again. It is no error when a service is not paused.",
          kFaultCodes, "  isoenv resume order\n"};
}

CommandHelp logs_help() {
  return {"isoenv logs [OPTION…] [SERVICE…]",
          "Prints what the services of an instance wrote, merged in the order in which it was\n"
          "written; of the services named, or of all. When no instance is up it is the log of the\n"
          "last one of the spec. Note that -f follows, and that the spec is given by --file.",
          "  0    printed; with --follow, when the instance has ended\n"
          "  1    there is no log\n"
          "  2    wrong command line, or a service that the environment does not have\n",
          "  isoenv logs --follow gateway order\n"};
}

CommandHelp check_help() {
  return {
      "isoenv check [OPTION…]",
      "Validates a spec and prints what would run: order, names, addresses, ports and rendered\n"
      "values. Nothing is started or created. A spec with faults is answered by all of them at\n"
      "once, each with its place and a remedy.",
      "  0    the spec is right\n"
      "  2    wrong command line, or a spec with faults\n",
      "  isoenv check -f shop.json --json\n"};
}

CommandHelp gc_help() {
  return {"isoenv gc [OPTION…]",
          "Removes what instances left behind that were killed with everything around them: run\n"
          "directories and leases without a living keeper, and artefacts beyond those that are\n"
          "kept. Lists what is live, and never touches it, nor anything that no lease or marker\n"
          "proves to be of an ended instance of yours.",
          "  0    removed, or there was nothing to remove\n"
          "  1    something could not be removed; the reason is printed\n"
          "  2    wrong command line\n",
          "  isoenv gc --dry-run\n"};
}

CommandHelp doctor_help() {
  return {
      "isoenv doctor [OPTION…]",
      "Tries, in throw-away processes, everything that an instance needs of this machine, and shows\n"
      "what is granted. For what is refused it tells the step, the errno, the cause that was found\n"
      "and the remedy for this kind of machine. Nothing is changed and nothing is left.",
      "  0    services can be isolated here\n"
      "  1    isoenv itself failed\n"
      "  2    wrong command line\n"
      "  77   this machine does not grant the isolation\n",
      "  isoenv doctor\n"
      "  isoenv doctor --apparmor-profile | sudo tee /etc/apparmor.d/isoenv\n"};
}

}  // namespace

CommandHelp help_of(const std::string& command) {
  if (command == "up") return up_help();
  if (command == "down") return down_help();
  if (command == "exec") return exec_help();
  if (command == "run") return run_help();
  if (command == "shell") return shell_help();
  if (command == "ps") return ps_help();
  if (command == "env") return env_help();
  if (command == "stop") return stop_help();
  if (command == "start") return start_help();
  if (command == "restart") return restart_help();
  if (command == "kill") return kill_help();
  if (command == "pause") return pause_help();
  if (command == "resume") return resume_help();
  if (command == "logs") return logs_help();
  if (command == "gc") return gc_help();
  if (command == "doctor") return doctor_help();
  assert(command == "check");
  return check_help();
}

}  // namespace isoenv
