/// The table of all commands: help, completion and dispatch are made from it.

#include "controller/cli/commands.h"

namespace relab::controller {

std::span<const Command> commands() {
  static constexpr Command table[] = {
      {"init", "", "make the controller's keys, sealed under a passphrase",
       "relab init --name admin", 0, cli::declare_init, cli::init},
      {"check", "[FILE]", "read a lab file and report every mistake in it", "relab check lab.toml",
       1, nullptr, cli::check},
      {"kinds", "[NAME]", "explain the task kinds", "relab kinds audit_zfs", 1, nullptr,
       cli::kinds},
      {"schema", "", "print a JSON Schema of lab.toml for editors",
       "relab schema > lab.schema.json", 0, nullptr, cli::schema},
      {"enrol", "NAME", "exchange keys with an agent, by the one-time code that it shows",
       "relab enrol z640", 1, cli::declare_enrol, cli::enrol},
      {"agents", "[show NAME | remove NAME]",
       "list the enrolled agents, ask one what it may do, or forget one", "relab agents --ping", 2,
       cli::declare_agents, cli::agents},
      {"secret", "set NAME | list | remove NAME",
       "keep what agents must not read in lab.toml: encrypted here, sealed to the one that uses it",
       "relab secret set tank-key", 2, cli::declare_secret, cli::secret},
      {"plan", "[PHASE]", "show what each phase orders from whom", "relab plan 0a", 1, nullptr,
       cli::plan},
      {"rehearse", "",
       "carry out the whole plan on simulated machines: how long it takes, what it would change, "
       "what is wrong with it",
       "relab rehearse --html rehearsal.html", 0, cli::declare_rehearse, cli::rehearse},
      {"run", "[PHASE | TRACK]",
       "run as far as the gates allow, or one phase or track; carries on with what was begun",
       "relab run 0a", 1, cli::declare_run, cli::run},
      {"attach", "", "carry on with the runs that were begun, and collect what finished meanwhile",
       "relab attach", 0, cli::declare_attach, cli::attach},
      {"cancel", "TASK | PHASE | TRACK",
       "end a task, or what was begun of a phase or track, at its agents", "relab cancel 2b", 1,
       cli::declare_cancel, cli::cancel},
      {"status", "", "show the phases, their last runs and their tasks", "relab status", 0, nullptr,
       cli::status},
      {"watch", "", "see how another `relab` gets on, until its runs have ended", "relab watch", 0,
       nullptr, cli::watch},
      {"gate", "[PHASE | waive PHASE]",
       "explain what a phase waits for, and what would supply it; or let it begin all the same",
       "relab gate 0b", 2, cli::declare_gate, cli::gate},
      {"approve", "PHASE", "look at what a phase destroys, and let exactly that happen",
       "relab approve 2", 1, cli::declare_approve, cli::approve},
      {"audit", "show [SECTION] | survive | diff A B",
       "show the audit, what survives an installation, or compare two audits",
       "relab audit show zfs --markdown", 3, cli::declare_audit, cli::audit},
      {"report", "",
       "write all of it as one page: what was done, what is missing, what would be lost",
       "relab report --html lab.html", 0, cli::declare_report, cli::report},
      {"adopt", "[HOST]",
       "write a lab file out of what the audit found, as the place to start from",
       "relab adopt > new.toml", 1, nullptr, cli::adopt},
      {"ledger", "verify | show | head | export",
       "check, read or export the record of everything, or keep its signed head elsewhere",
       "relab ledger verify --against head.json", 1, cli::declare_ledger, cli::ledger},
  };
  return table;
}

boost::program_options::typed_value<unsigned>* patience_value(unsigned absent) {
  namespace po = boost::program_options;
  constexpr unsigned day = 86'400;
  return po::value<unsigned>()->default_value(absent)->notifier([](unsigned seconds) {
    if (seconds > day)
      throw po::validation_error(po::validation_error::invalid_option_value, "patience",
                                 std::to_string(seconds));
  });
}

std::vector<std::string> arguments_of(const Values& values) {
  return values.count("argument") != 0 ? values["argument"].as<std::vector<std::string>>()
                                       : std::vector<std::string>();
}

std::string argument_of(const Values& values, std::size_t index) {
  const auto arguments = arguments_of(values);
  return index < arguments.size() ? arguments[index] : std::string();
}

}  // namespace relab::controller
