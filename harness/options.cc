#include "harness/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "harness/help.h"

namespace isoenv {
namespace {

namespace po = boost::program_options;

constexpr unsigned kWidth = 92;

/// What may follow the options.
enum class Words { kNone, kServices, kCommand };

struct Grammar {
  std::string command;
  Words words = Words::kNone;
  po::options_description options{"Options", kWidth, kWidth / 2};
};

po::typed_value<std::string>* text(const char* placeholder) {
  return po::value<std::string>()->value_name(placeholder);
}

po::typed_value<std::vector<std::string>>* texts(const char* placeholder) {
  return po::value<std::vector<std::string>>()->value_name(placeholder)->composing();
}

void add_wanted_spec(Grammar& grammar) {
  grammar.options.add_options()("file,f", text("FILE")->default_value(kDefaultSpecFile),
                                "the spec");
}

void add_instance(Grammar& grammar, const char* file) {
  auto add = grammar.options.add_options();
  add(file, text("FILE"), "the spec of the instance (default: the one that is up)");
  add("name", text("NAME"), "the name that 'up' gave the instance");
}

void add_artefacts(Grammar& grammar) {
  grammar.options.add_options()("artefacts", text("DIR"),
                                "where logs and scratch data go (default: a folder in "
                                "$XDG_STATE_HOME/isoenv or ~/.local/state/isoenv)");
}

void add_isolation(Grammar& grammar) {
  grammar.options.add_options()(
      "isolation", text("auto|netns|ports"),
      "'netns': namespaces or nothing; 'ports': none, services share the host's loopback on "
      "reserved ports; 'auto': namespaces, or else ports, which is then said (default: "
      "$ISOENV_ISOLATION, or auto)");
}

void add_json(Grammar& grammar, const char* purpose) {
  grammar.options.add_options()("json", po::bool_switch(), purpose);
}

void add_timing(Grammar& grammar) {
  grammar.options.add_options()("timing", po::bool_switch(),
                                "tell where the time went: every service's start step by step, "
                                "and the longest chain");
  grammar.options.add_options()("trace", text("FILE"),
                                "write what happened when to FILE, for Perfetto "
                                "(https://ui.perfetto.dev) and chrome://tracing");
}

Grammar up_grammar() {
  Grammar grammar{"up", Words::kServices};
  add_wanted_spec(grammar);
  auto add = grammar.options.add_options();
  add("owner", text("PID|auto|none")->default_value("auto"),
      "whose end is the instance's end: that process; 'none', so it lives until 'down'; 'auto', "
      "the "
      "ctest above, else the shell of this terminal, else none");
  add("name", text("NAME"), "an instance of its own, beside the unnamed one of the same spec");
  add_isolation(grammar);
  add_artefacts(grammar);
  add("pause-before", texts("SERVICE"),
      "stop this service's process where it would execute its program, and wait neither for it nor "
      "for what needs it; 'isoenv resume' lets it go on; may be repeated");
  add("prestart", text("FILE"),
      "under a ctest that runs all its tests, its first 'up' starts all services that FILE names, a "
      "line each, without waiting for them");
  add_timing(grammar);
  add_json(grammar, "print the result as JSON");
  return grammar;
}

Grammar down_grammar() {
  Grammar grammar{"down", Words::kServices};
  add_instance(grammar, "file,f");
  add_json(grammar, "print the result as JSON");
  return grammar;
}

Grammar exec_grammar() {
  Grammar grammar{"exec", Words::kCommand};
  add_instance(grammar, "file,f");
  grammar.options.add_options()("in", text("SERVICE"),
                                "run it in the place of this running service: its network, its "
                                "processes, its environment; for debuggers and tracers");
  grammar.options.add_options()("service", texts("SERVICE"),
                                "fail unless this service is up and ready; may be repeated");
  add_test_options(grammar.options);
  return grammar;
}

Grammar run_grammar() {
  Grammar grammar{"run", Words::kCommand};
  auto add = grammar.options.add_options();
  add("file,f", text("FILE"), "the spec (default: none, an empty private environment)");
  add_isolation(grammar);
  add_artefacts(grammar);
  add("per-command", po::bool_switch(),
      "give each different COMMAND a folder of its own in the DIR of --artefacts");
  add("service", texts("SERVICE"),
      "start this service and what it depends on, not all; may be repeated");
  add_timing(grammar);
  add_test_options(grammar.options);
  return grammar;
}

Grammar shell_grammar() {
  Grammar grammar{"shell", Words::kServices};
  add_instance(grammar, "file,f");
  return grammar;
}

Grammar ps_grammar() {
  Grammar grammar{"ps", Words::kNone};
  add_instance(grammar, "file,f");
  add_json(grammar, "print the result as JSON");
  return grammar;
}

Grammar env_grammar() {
  Grammar grammar{"env", Words::kNone};
  add_instance(grammar, "file,f");
  add_json(grammar, "print all about the instance, as JSON");
  return grammar;
}

Grammar fault_grammar(const char* command) {
  Grammar grammar{command, Words::kServices};
  add_instance(grammar, "file,f");
  if (grammar.command == "kill") {
    grammar.options.add_options()("signal,s", text("SIGNAL"),
                                  "the signal: SIGTERM, TERM, … (default: SIGKILL)");
  }
  grammar.options.add_options()("keep", po::bool_switch(),
                                "inside a test: do not undo it at the test's end");
  add_json(grammar, "print the result as JSON");
  return grammar;
}

Grammar logs_grammar() {
  Grammar grammar{"logs", Words::kServices};
  add_instance(grammar, "file");
  auto add = grammar.options.add_options();
  add("artefacts", text("DIR"),
      "where the last instance's log is when none is up: the DIR that was given to 'up'");
  add("follow,f", po::bool_switch(), "go on printing until the instance ends");
  return grammar;
}

Grammar check_grammar() {
  Grammar grammar{"check", Words::kNone};
  add_wanted_spec(grammar);
  add_json(grammar, "print the plan as JSON");
  return grammar;
}

Grammar gc_grammar() {
  Grammar grammar{"gc", Words::kNone};
  auto add = grammar.options.add_options();
  add("dry-run", po::bool_switch(), "say what would be removed, and change nothing");
  add("artefacts", text("DIR"),
      "tidy this folder of artefacts too: the DIR that was given to 'up'");
  add_json(grammar, "print the result as JSON");
  return grammar;
}

Grammar doctor_grammar() {
  Grammar grammar{"doctor", Words::kNone};
  grammar.options.add_options()("apparmor-profile", po::bool_switch(),
                                "print an AppArmor profile for this isoenv, and examine nothing");
  add_json(grammar, "print the findings as JSON");
  return grammar;
}

Grammar grammar_of(const std::string& command) {
  using MakeGrammar = Grammar (*)();
  constexpr std::pair<const char*, MakeGrammar> kGrammars[] = {
      {"up", up_grammar},       {"down", down_grammar}, {"exec", exec_grammar},
      {"run", run_grammar},     {"shell", shell_grammar}, {"ps", ps_grammar},     {"logs", logs_grammar},
      {"env", env_grammar},     {"check", check_grammar},
      {"gc", gc_grammar},     {"doctor", doctor_grammar},
      {"stop", [] { return fault_grammar("stop"); }},
      {"start", [] { return fault_grammar("start"); }},
      {"restart", [] { return fault_grammar("restart"); }},
      {"kill", [] { return fault_grammar("kill"); }},
      {"pause", [] { return fault_grammar("pause"); }},
      {"resume", [] { return fault_grammar("resume"); }}};
  for (const auto& [name, make] : kGrammars) {
    if (name != command) continue;
    Grammar grammar = make();
    grammar.options.add_options()("help,h", po::bool_switch(), "print this text");
    return grammar;
  }
  throw Error("unknown command '" + command + "'", ExitCode::kUsage, "see 'isoenv --help'");
}

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(what, ExitCode::kUsage, hint);
}

std::string see_help(const Grammar& grammar) {
  return "see 'isoenv " + grammar.command + " --help'";
}

/// The option that `word` spells (`--name`, `--name=x`, `-n`, `-nx`), or nothing.
const po::option_description* find_option(const Grammar& grammar, const std::string& word) {
  const bool is_long = word.rfind("--", 0) == 0;
  const std::string spelt = is_long ? word.substr(2, word.find('=') - 2) : word.substr(0, 2);
  for (const auto& option : grammar.options.options()) {
    const std::string short_name = option->format_name().substr(0, 2);
    if (is_long ? option->long_name() == spelt : short_name == spelt) return option.get();
  }
  return nullptr;
}

[[noreturn]] void refuse_unknown(const Grammar& grammar, const std::string& word) {
  std::vector<std::string> known;
  for (const auto& option : grammar.options.options()) known.push_back("--" + option->long_name());
  const std::string spelt = word.substr(0, word.find('='));
  const std::string nearest = nearest_word(spelt, known);
  refuse("unknown option '" + spelt + "'",
         nearest.empty() ? see_help(grammar) : "did you mean '" + nearest + "'?");
}

/// A command line divided where its options end.
struct Division {
  Arguments
      options;     ///< options with their values; without exec and run, services between them too
  Arguments rest;  ///< what follows `--`, or with exec and run the first word that is no option
  bool help = false;
};

/// Also refuses unknown options and missing values, so that no option is taken for a value.
Division divide(const Grammar& grammar, const Arguments& arguments) {
  Division division;
  for (auto word = arguments.begin(); word != arguments.end(); ++word) {
    const bool is_option = word->size() > 1 && word->front() == '-';
    if (*word == "--" || (!is_option && grammar.words == Words::kCommand)) {
      division.rest.assign(*word == "--" ? word + 1 : word, arguments.end());
      break;
    }
    division.options.push_back(*word);
    if (!is_option) continue;

    const po::option_description* const option = find_option(grammar, *word);
    if (option == nullptr) refuse_unknown(grammar, *word);
    if (option->long_name() == "help") division.help = true;
    const bool is_long = word->rfind("--", 0) == 0;
    const std::size_t equals = is_long ? word->find('=') : std::string::npos;
    const bool attached = is_long ? equals != std::string::npos : word->size() > 2;
    const bool takes_value = option->semantic()->max_tokens() > 0;
    if (!takes_value || (attached && equals != word->size() - 1)) continue;
    if (attached || word + 1 == arguments.end() || word[1] == "--" ||
        (word[1].size() > 1 && find_option(grammar, word[1]) != nullptr)) {
      refuse("option '" + word->substr(0, equals) + "' needs a value", see_help(grammar));
    }
    division.options.push_back(*++word);
  }
  return division;
}

struct Parsed {
  po::variables_map values;
  std::vector<std::string> words;  ///< services, or the command

  std::string text(const char* option) const {
    return values.count(option) != 0 ? values[option].as<std::string>() : std::string();
  }
  std::optional<std::string> given_text(const char* option) const {
    if (values.count(option) == 0) return std::nullopt;
    return values[option].as<std::string>();
  }
  std::optional<std::filesystem::path> path(const char* option) const {
    if (values.count(option) == 0) return std::nullopt;
    return values[option].as<std::string>();
  }
  bool flag(const char* option) const { return values[option].as<bool>(); }
  std::vector<std::string> list(const char* option) const {
    if (values.count(option) == 0) return {};
    return values[option].as<std::vector<std::string>>();
  }
};

/// Unix style without guessing: an option is spelt out.
constexpr int kStyle = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

void refuse_empty_values(const Grammar& grammar, const po::parsed_options& parsed) {
  for (const po::option& option : parsed.options) {
    const bool has_empty =
        std::find(option.value.begin(), option.value.end(), "") != option.value.end();
    if (!has_empty) continue;
    if (option.position_key >= 0) refuse("a service's name is empty", see_help(grammar));
    refuse("option '--" + option.string_key + "' needs a value", see_help(grammar));
  }
}

void check_name(const std::string& name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool right =
      std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || c == '-'; });
  if (name.empty() || (right && name.size() <= 63 && name.front() != '-' && name.back() != '-')) {
    return;
  }
  refuse("'" + name + "' cannot be the name of an instance",
         "use lower-case letters, digits and inner hyphens, at most 63");
}

void check_words(const Grammar& grammar, const std::vector<std::string>& words) {
  if (grammar.words == Words::kNone && !words.empty()) {
    refuse("unexpected word '" + words.front() + "'", see_help(grammar));
  }
  if (grammar.words == Words::kCommand && words.empty()) {
    refuse("no command is given",
           "write it after the options: isoenv " + grammar.command + " -- COMMAND");
  }
}

Parsed parse(const std::string& command, const Arguments& arguments) {
  const Grammar grammar = grammar_of(command);
  const Division division = divide(grammar, arguments);
  Parsed parsed;
  po::options_description all;
  all.add(grammar.options).add_options()("words", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("words", -1);
  try {
    const po::parsed_options options = po::command_line_parser(division.options)
                                           .options(all)
                                           .positional(positions)
                                           .style(kStyle)
                                           .run();
    refuse_empty_values(grammar, options);
    po::store(options, parsed.values);
  } catch (const po::multiple_occurrences& error) {
    refuse("option '" + error.get_option_name() + "' is given twice", see_help(grammar));
  } catch (const po::error& error) {
    refuse(error.what(), see_help(grammar));
  }
  parsed.words = parsed.list("words");
  parsed.words.insert(parsed.words.end(), division.rest.begin(), division.rest.end());
  check_words(grammar, parsed.words);
  check_name(parsed.text("name"));
  return parsed;
}

}  // namespace

UpOptions parse_up(const Arguments& arguments) {
  const Parsed parsed = parse("up", arguments);
  return {parsed.text("file"), parsed.given_text("isolation"), parsed.text("owner"), parsed.text("name"),
          parsed.path("artefacts"), parsed.flag("json"), parsed.flag("timing"),
          parsed.path("trace"), parsed.path("prestart"), parsed.list("pause-before"), parsed.words};
}

DownOptions parse_down(const Arguments& arguments) {
  const Parsed parsed = parse("down", arguments);
  return {parsed.path("file"), parsed.text("name"), parsed.flag("json"), parsed.words};
}

ExecOptions parse_exec(const Arguments& arguments) {
  const Parsed parsed = parse("exec", arguments);
  TestOptions test = read_test_options(parsed.values);
  const std::string of_a_test = option_about_services(test);
  if (!parsed.text("in").empty() && !of_a_test.empty()) {
    refuse("option '" + of_a_test + "' is for tests, and a command in the place of a service is none",
           "leave out '--in' or '" + of_a_test + "'");
  }
  return {std::move(test),   parsed.path("file"),    parsed.text("name"),
          parsed.text("in"), parsed.list("service"), parsed.words};
}

RunOptions parse_run(const Arguments& arguments) {
  const Parsed parsed = parse("run", arguments);
  TestOptions test = read_test_options(parsed.values);
  const std::string about_services =
      parsed.list("service").empty() ? option_about_services(test) : "--service";
  if (!parsed.path("file") && !about_services.empty()) {
    refuse("option '" + about_services + "' needs a spec", "name it with --file FILE");
  }
  if (!parsed.path("file") && (parsed.flag("timing") || parsed.path("trace"))) {
    refuse(std::string("option '--") + (parsed.flag("timing") ? "timing" : "trace") +
               "' needs a spec",
           "name it with --file FILE");
  }
  if (parsed.flag("per-command") && !parsed.path("artefacts")) {
    refuse("option '--per-command' needs a folder", "name it with --artefacts DIR");
  }
  return {std::move(test),          parsed.path("file"),
          parsed.given_text("isolation"), parsed.path("artefacts"),
          parsed.flag("timing"), parsed.path("trace"),
          parsed.flag("per-command"), parsed.list("service"),
          parsed.words};
}

ShellOptions parse_shell(const Arguments& arguments) {
  const Parsed parsed = parse("shell", arguments);
  if (parsed.words.size() != 1) {
    refuse(parsed.words.empty() ? "no service is named" : "more than one service is named",
           "write one: isoenv shell SERVICE; for a command see 'isoenv exec --in'");
  }
  return {parsed.path("file"), parsed.text("name"), parsed.words.front()};
}

PsOptions parse_ps(const Arguments& arguments) {
  const Parsed parsed = parse("ps", arguments);
  return {parsed.path("file"), parsed.text("name"), parsed.flag("json")};
}

EnvOptions parse_env(const Arguments& arguments) {
  const Parsed parsed = parse("env", arguments);
  return {parsed.path("file"), parsed.text("name"), parsed.flag("json")};
}

FaultOptions parse_fault_command(const std::string& command, const Arguments& arguments) {
  const Parsed parsed = parse(command, arguments);
  if (parsed.words.empty()) {
    refuse("no service is named", "write it after the options: isoenv " + command + " SERVICE");
  }
  return {parsed.path("file"), parsed.text("name"),
          command == "kill" ? parsed.text("signal") : std::string(), parsed.flag("keep"),
          parsed.flag("json"),
          parsed.words};
}

LogsOptions parse_logs(const Arguments& arguments) {
  const Parsed parsed = parse("logs", arguments);
  return {parsed.path("file"), parsed.text("name"), parsed.path("artefacts"), parsed.flag("follow"),
          parsed.words};
}

CheckOptions parse_check(const Arguments& arguments) {
  const Parsed parsed = parse("check", arguments);
  return {parsed.text("file"), parsed.flag("json")};
}

GcOptions parse_gc(const Arguments& arguments) {
  const Parsed parsed = parse("gc", arguments);
  return {parsed.path("artefacts"), parsed.flag("dry-run"), parsed.flag("json")};
}

DoctorOptions parse_doctor(const Arguments& arguments) {
  const Parsed parsed = parse("doctor", arguments);
  return {parsed.flag("apparmor-profile"), parsed.flag("json")};
}

bool wants_help(const std::string& command, const Arguments& arguments) {
  return divide(grammar_of(command), arguments).help;
}

std::string help_text(const std::string& command) {
  const Grammar grammar = grammar_of(command);
  const CommandHelp help = help_of(command);
  std::ostringstream text;
  text << "Usage: " << help.usage << "\n\n"
       << help.purpose << "\n\n"
       << grammar.options << "\nExit codes:\n"
       << help.exit_codes << "\nExample:\n"
       << help.example;
  return text.str();
}

}  // namespace isoenv
