#include "controller/run/enrol.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/keys/key_file.h"
#include "controller/run/lock.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

Result<crypto::EnrolCode> code_of(const Values& values, const Context& context) {
  if (values.count("code-file") != 0) {
    const auto path = values["code-file"].as<std::string>();
    RELAB_TRY(const auto text, read_small_file(path, 4096).during("reading the code"));
    return crypto::EnrolCode::parse(text).during("reading " + path);
  }
  // Typed like a passphrase: whoever sees the code could enrol in our place.
  RELAB_TRY(const auto typed, context.ask("One-time code shown by `relab-agent enrol`"));
  return crypto::EnrolCode::parse(text_of(typed.view()));
}

Result<Party> enrol_agent(const Values& values, Context& context, schema::Lab::Reader lab,
                          const std::string& agent) {
  RELAB_TRY(auto endpoint, lab::agent_endpoint(lab, agent));
  if (values.count("endpoint") != 0) endpoint = values["endpoint"].as<std::string>();
  if (!endpoint.starts_with("tcp://"))
    return fail(Fault::invalid,
                fmt::format("the endpoint is tcp://ADDRESS:PORT, not '{}'", endpoint));
  const auto name = str(lab.getName());
  const Signals signals;
  RELAB_TRY(const auto lock, lock_lab(context.state_dir(name), "enrol"));
  RELAB_TRY(const auto keys, context.keys());
  RELAB_TRY(const auto owner, read_owner(context.key_file()));
  RELAB_TRY(auto book, context.open_book(name));
  RELAB_CHECK(book.begin(keys, owner.name, name));
  RELAB_TRY(const auto code, code_of(values, context));
  const auto before = book.state().agents();
  if (values.count("reinstalled") != 0 && !before.contains(agent) &&
      !book.state().had_another(agent))
    return fail(Fault::invalid,
                fmt::format("no agent '{}' was enrolled before: nothing was reinstalled", agent),
                "leave --reinstalled out");
  RELAB_TRY(auto party,
            controller::enrol({.lab = name,
                               .agent = agent,
                               .endpoint = endpoint,
                               .controller = owner.name,
                               .patience = std::chrono::seconds(values["patience"].as<unsigned>()),
                               .reinstalled = values.count("reinstalled") != 0},
                              code, book, keys, signals));
  const auto known = before.find(agent);
  if (known != before.end() && known->second.party.sign_key != party.sign_key)
    context.out().note(fmt::format("the agent '{}' had another key until now: it was {}, it is {}",
                                   agent, crypto::fingerprint(known->second.party.sign_key),
                                   crypto::fingerprint(party.sign_key)));
  if (known != before.end() && known->second.party.sign_key != party.sign_key &&
      values.count("reinstalled") == 0)
    context.out().note(
        "steps that the agent before carried out do not count as done any more. If the plan itself "
        "had the host reinstalled, enrol it once more with --reinstalled");
  RELAB_CHECK(book.checkpoint(keys));
  return party;
}

}  // namespace

void declare_enrol(po::options_description& options) {
  options.add_options()("endpoint", po::value<std::string>(),
                        "where the agent waits; default: as in lab.toml")(
      "code-file", po::value<std::string>(), "read the one-time code from this file")(
      "patience", patience_value(30), "seconds to wait for the agent")(
      "reinstalled",
      "it is the same host as before under this name, reinstalled by the plan: steps that its "
      "agent "
      "before carried out stay done");
}

ExitCode enrol(const Values& values, Context& context) {
  const auto agent = argument_of(values, 0);
  if (agent.empty()) {
    context.out().error(
        {.fault = Fault::invalid, .what = "which agent?", .hint = "usage: relab enrol NAME"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto party = enrol_agent(values, context, lab->reader(), agent);
  if (!party) return context.failed(party.error());
  context.out().line(fmt::format("Enrolled '{}' ({}), machine {}, role {}", agent,
                                 crypto::fingerprint(party->sign_key), party->machine_id,
                                 party->agent_role));
  context.out().value({{"agent", agent},
                       {"fingerprint", crypto::fingerprint(party->sign_key)},
                       {"machineId", party->machine_id},
                       {"role", party->agent_role}});
  return ExitCode::done;
}

}  // namespace relab::controller::cli
