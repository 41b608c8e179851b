#include "agent/cli/cli.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <sstream>

#include "agent/enrol/enrol.h"
#include "agent/enrol/plant.h"
#include "agent/host/real_host.h"
#include "agent/service/machine.h"
#include "agent/service/service.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/wire/dsse.h"

namespace relab::agent {

namespace {

namespace po = boost::program_options;

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_nobody = 3;
/// The unit starts the agent anew: RestartForceExitStatus.
constexpr int exit_replaced = 75;
/// The one code of an ExecCondition that systemd takes for a failure: it skips the unit without a
/// word for every other one but 0.
constexpr int exit_condition_failed = 255;
constexpr std::string_view as_condition = "--as-condition";

struct Settings {
  std::string command;
  std::string argument;
  std::string state_dir;
  std::string listen;
  std::string name;
  std::string role;
  std::string roles_dir;
  std::string program_path;
  std::string log_level;
  std::string code_file;
  std::string lab;
  std::string controller;
  bool sign = false;
  bool condition = false;
  bool limited_by_roles = false;
  unsigned tasks_max = 0;
  unsigned ttl = 0;
};

std::string host_name() {
  const auto text = read_small_file("/proc/sys/kernel/hostname");
  return text ? std::string(trim(*text)) : "agent";
}

/// From 1 to that; the library takes "-1" for 4294967295.
po::typed_value<unsigned>* at_most(unsigned* value, const std::string& name, unsigned greatest) {
  return po::value(value)->notifier([name, greatest](unsigned given) {
    if (given < 1 || given > greatest)
      throw po::validation_error(po::validation_error::invalid_option_value, name,
                                 std::to_string(given));
  });
}

po::options_description options_of(Settings& settings) {
  po::options_description options("Options", 110);
  auto add = options.add_options();
  add("help,h", "this text");
  add("version,V", "the version");
  add("state-dir", po::value(&settings.state_dir)->default_value("/var/lib/relab-agent"),
      "keys, pinned controllers and journal; for the agent alone");
  add("listen", po::value(&settings.listen)->default_value("tcp://0.0.0.0:7460"),
      "where the controller dials: tcp://ADDRESS:PORT");
  add("name", po::value(&settings.name)->default_value(host_name(), "this machine's name"),
      "how the agent calls itself");
  add("role", po::value(&settings.role)->default_value("", "all that are installed"),
      "the roles whose manifests limit the agent, as in arr+monitoring");
  add("roles-dir", po::value(&settings.roles_dir)->default_value("/usr/lib/relab/roles.d"),
      "the folder of role manifests");
  add("program-path", po::value(&settings.program_path)->default_value(std::string(pinned_path)),
      "PATH of the programs that tasks run");
  add("tasks-max", at_most(&settings.tasks_max, "tasks-max", 256)->default_value(8),
      "tasks that run at a time");
  add("limited-by-roles", po::bool_switch(&settings.limited_by_roles),
      "run: end with 75 once other roles are installed and no task runs, for the unit, which has "
      "limits of theirs");
  add("ttl", at_most(&settings.ttl, "ttl", 86'400)->default_value(3600),
      "enrol: seconds that the code lives");
  add("code-file", po::value(&settings.code_file),
      "enrol: write the code into this file (mode 0600) as well");
  add("signed", po::bool_switch(&settings.sign),
      "identity: print it as its signed statement, in base64; makes no keys");
  add("as-condition", po::bool_switch(&settings.condition),
      "trust: end with 255 where the answer is not known, for the ExecCondition of a unit");
  add("lab", po::value(&settings.lab), "plant: the lab");
  add("controller", po::value(&settings.controller),
      "plant: the controller's signed identity, in base64");
  add("log-level", po::value(&settings.log_level)->default_value("info"),
      "trace, debug, info, warn, error or off");
  return options;
}

constexpr auto usage =
    "relab-agent carries out the signed orders of the controller that it was enrolled with.\n"
    "\n"
    "  relab-agent run        serve until SIGTERM (the default)\n"
    "  relab-agent enrol      show a one-time code and wait for `relab enrol`\n"
    "  relab-agent identity   print this agent's name, keys and machine id\n"
    "  relab-agent trust      list the pinned controllers\n"
    "  relab-agent distrust FINGERPRINT\n"
    "                         forget a controller (then: systemctl reload relab-agent)\n"
    "  relab-agent plant      obey the controller that --lab and --controller tell, and print\n"
    "                         this agent's signed identity: what the agent of a Proxmox host\n"
    "                         runs in a container\n"
    "\n"
    "Example: relab-agent enrol --name z640 --listen tcp://10.42.10.2:7460\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no controller is pinned (trust),\n"
    "75 to be started anew (run), 255 failed or wrong usage (trust --as-condition).\n\n";

void print_error(const Error& error) {
  std::cerr << "relab-agent: " << error.sentence() << "\n";
  if (!error.hint.empty()) std::cerr << "  " << error.hint << "\n";
}

template <typename T>
int exit_code(const Result<T>& result) {
  if (result) return exit_done;
  print_error(result.error());
  return exit_failed;
}

int exit_code(const Result<Leaving>& left) {
  return left && *left == Leaving::replaced ? exit_replaced : exit_code<Leaving>(left);
}

Result<Leaving> serve(const Settings& settings) {
  const Signals signals;
  auto log = make_log("relab-agent", settings.log_level);
  RELAB_TRY(auto service, Service::open({.state_dir = settings.state_dir,
                                         .endpoint = settings.listen,
                                         .name = settings.name,
                                         .roles_dir = settings.roles_dir,
                                         .role = settings.role,
                                         .program_path = settings.program_path,
                                         .limits = {.running_max = settings.tasks_max},
                                         .limited_from_outside = settings.limited_by_roles},
                                        log));
  return service->run(signals);
}

Result<void> show_code(const Settings& settings, const crypto::EnrolCode& code) {
  if (!settings.code_file.empty())
    RELAB_CHECK(replace_file(settings.code_file, code.text() + "\n"));
  std::cout << "One-time code, good for " << human(std::chrono::seconds(settings.ttl))
            << " and one controller:\n\n    " << code.text() << "\n\nOn the admin box: relab enrol "
            << settings.name << " --endpoint " << settings.listen << "\n"
            << "(with the address under which this machine is reached), then type the code.\n"
            << std::flush;
  return {};
}

Result<void> enrol(const Settings& settings) {
  const Signals signals;
  RELAB_TRY(const auto role, RoleLimits::load(settings.roles_dir, settings.role));
  const auto code = crypto::EnrolCode::make();
  RELAB_TRY(const auto done, await_enrolment({.state_dir = settings.state_dir,
                                              .endpoint = settings.listen,
                                              .name = settings.name,
                                              .role = role.name(),
                                              .patience = std::chrono::seconds(settings.ttl),
                                              .ready = [&] { return show_code(settings, code); }},
                                             code, signals));
  std::cout << "Enrolled: this agent now obeys the controller '" << done.controller.name << "' ("
            << crypto::fingerprint(done.controller.sign_key) << ") of the lab '" << done.lab
            << "'.\n";
  return {};
}

Result<void> signed_identity(const Settings& settings) {
  // Who it is does not depend on what it may do.
  const auto role = RoleLimits::load(settings.roles_dir, settings.role);
  RELAB_TRY(const auto statement,
            own_identity(settings.state_dir, settings.name, role ? role->name() : ""));
  std::cout << base64(statement) << "\n";
  return {};
}

Result<void> plant(const Settings& settings) {
  RELAB_TRY(const auto role, RoleLimits::load(settings.roles_dir, settings.role));
  RELAB_TRY(const auto controller, from_base64(settings.controller).during("reading --controller"));
  RELAB_TRY(const auto statement, plant_controller({.state_dir = settings.state_dir,
                                                    .controller = controller,
                                                    .lab = settings.lab,
                                                    .name = settings.name,
                                                    .role = role.name()}));
  std::cout << base64(statement) << "\n";
  return {};
}

Result<void> identity(const Settings& settings) {
  if (settings.sign) return signed_identity(settings);
  RELAB_TRY(const auto keys, load_or_make_keys(settings.state_dir));
  std::cout << "name         " << settings.name << "\nmachine id   " << machine_id(keys)
            << "\nfingerprint  " << crypto::fingerprint(keys.sign_key()) << "\nsign key     "
            << hex(keys.sign_key()) << "\ncurve key    " << hex(keys.curve_key())
            << "\nseal key     " << hex(keys.seal_key()) << "\n";
  return {};
}

int list_trust(const Settings& settings) {
  const auto trust = Trust::load(settings.state_dir);
  if (!trust) return exit_code(trust);
  if (trust->empty()) {
    print_error({.fault = Fault::missing,
                 .what = "no controller is pinned",
                 .hint = "run `relab-agent enrol`"});
    return exit_nobody;
  }
  std::cout << "lab " << trust->lab() << "\n";
  for (const auto& party : trust->controllers())
    std::cout << crypto::fingerprint(party.sign_key) << "  " << party.name << "\n";
  return exit_done;
}

Result<void> distrust(const Settings& settings) {
  RELAB_TRY(auto trust, Trust::load(settings.state_dir));
  for (const auto& party : trust.controllers())
    if (crypto::fingerprint(party.sign_key) == settings.argument) {
      const auto key = party.sign_key;
      return trust.remove(settings.state_dir, key);
    }
  return fail(Fault::missing,
              fmt::format("no pinned controller has the fingerprint '{}'", settings.argument),
              "`relab-agent trust` lists them");
}

struct Command {
  std::string_view name;
  int (*run)(const Settings&);
};
template <auto carry_out>
int run_to_end(const Settings& settings) {
  return exit_code(carry_out(settings));
}
constexpr Command commands[] = {{"run", run_to_end<serve>},         {"enrol", run_to_end<enrol>},
                                {"identity", run_to_end<identity>}, {"trust", list_trust},
                                {"distrust", run_to_end<distrust>}, {"plant", run_to_end<plant>}};

Result<po::variables_map> parse(const std::vector<std::string>& arguments, Settings& settings,
                                const po::options_description& visible) try {
  po::options_description all;
  all.add(visible).add_options()("command", po::value(&settings.command)->default_value("run"))(
      "argument", po::value(&settings.argument));
  po::positional_options_description positions;
  positions.add("command", 1).add("argument", 1);
  po::variables_map values;
  po::store(po::command_line_parser(arguments).options(all).positional(positions).run(), values);
  po::notify(values);
  return values;
} catch (const po::error& error) {
  return fail(Fault::invalid, error.what(), "relab-agent --help shows the options");
}

int dispatch(const std::vector<std::string>& arguments) {
  Settings settings;
  const auto visible = options_of(settings);
  const auto values = parse(arguments, settings, visible);
  if (!values) {
    print_error(values.error());
    return exit_usage;
  }
  if (values->count("help") != 0) {
    std::cout << usage << visible;
    return exit_done;
  }
  if (values->count("version") != 0) {
    std::cout << "relab-agent " << version << "\n";
    return exit_done;
  }
  for (const auto& command : commands)
    if (command.name == settings.command) return command.run(settings);
  print_error({.fault = Fault::invalid,
               .what = fmt::format("there is no command '{}'", settings.command),
               .hint = "relab-agent --help lists them"});
  return exit_usage;
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments) {
  crypto::start();
  const int code = dispatch(arguments);
  if (std::cout.flush()) return as_asked(arguments, code);
  print_error({.fault = Fault::busy, .what = "the output could not be written"});
  return as_asked(arguments, exit_failed);
}

int as_asked(const std::vector<std::string>& arguments, int code) {
  // As it was typed: what cannot be parsed is one of the failures.
  const bool condition = std::ranges::find(arguments, as_condition) != arguments.end();
  if (!condition || code == exit_done || code == exit_nobody) return code;
  return exit_condition_failed;
}

}  // namespace relab::agent
