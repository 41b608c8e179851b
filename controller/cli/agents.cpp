#include <fmt/format.h>

#include "common/base/signals.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/keys/key_file.h"
#include "controller/link/zmq_exchange.h"
#include "controller/report/table.h"
#include "controller/run/book.h"
#include "controller/run/impostor.h"
#include "controller/run/lock.h"
#include "controller/run/session.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

/// An enrolled agent, and what it answered if it was asked.
struct Row {
  AgentRecord agent;
  std::string answer = {};
  bool there = false;
};

void ask_all(std::vector<Row>& rows, const crypto::Keys& keys, const State& state,
             const std::string& lab, std::chrono::seconds patience) {
  ZmqExchange exchange;
  std::vector<std::unique_ptr<Session>> sessions;
  sessions.reserve(rows.size());
  for (const auto& row : rows)
    sessions.push_back(std::make_unique<Session>(exchange, row.agent, keys, lab));
  const auto until = now_of_system().steady + patience;
  const auto missing = [&] {
    return std::any_of(sessions.begin(), sessions.end(),
                       [](const auto& session) { return !session->greeting(); });
  };
  while (now_of_system().steady < until && missing()) {
    exchange.wait(-1, Millis(100));
    for (auto& session : sessions) {
      session->tend(now_of_system());
      while (session->receive(now_of_system())) {
      }
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& greeting = sessions[i]->greeting();
    rows[i].there = greeting.has_value();
    rows[i].answer =
        greeting ? fmt::format("up, version {}, {} task(s) held, clock off by {}",
                               greeting->version, greeting->held.size(), human(greeting->skew))
                 : name_impostor(*sessions[i], state, keys, Millis(1500)).sentence();
  }
}

nlohmann::json to_json(const Row& row) {
  nlohmann::json json = {{"name", row.agent.name},
                         {"endpoint", row.agent.endpoint},
                         {"fingerprint", crypto::fingerprint(row.agent.party.sign_key)},
                         {"machineId", row.agent.party.machine_id},
                         {"role", row.agent.party.agent_role},
                         {"enrolled", iso8601(row.agent.since)}};
  if (!row.answer.empty()) json["up"] = row.there, json["answer"] = row.answer;
  return json;
}

ExitCode remove(Context& context, const std::string& lab, const std::string& agent) {
  const auto removed = [&]() -> Result<void> {
    RELAB_TRY(const auto lock, lock_lab(context.state_dir(lab), "agents remove"));
    RELAB_TRY(const auto keys, context.keys());
    RELAB_TRY(auto book, context.open_book(lab));
    if (!book.state().agents().contains(agent))
      return fail(Fault::missing, fmt::format("no agent '{}' is enrolled", agent),
                  "`relab agents` lists them");
    RELAB_CHECK(book.removed(agent, "removed by the operator"));
    return book.checkpoint(keys);
  }();
  if (!removed) return context.failed(removed.error());
  context.out().line(
      fmt::format("The controller knows no agent '{}' any more. On that machine: relab-agent "
                  "distrust FINGERPRINT",
                  agent));
  context.out().value({{"agent", agent}, {"removed", true}});
  return ExitCode::done;
}

}  // namespace

void declare_agents(po::options_description& options) {
  options.add_options()("ping", "dial each agent and say whether it answers")(
      "patience", patience_value(5), "seconds to wait for answers");
}

ExitCode agents(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto name = str(lab->reader().getName());
  const auto arguments = arguments_of(values);
  if (arguments.size() == 2 && arguments[0] == "remove") return remove(context, name, arguments[1]);
  if (!arguments.empty()) {
    context.out().error(
        {.fault = Fault::invalid, .what = "usage: relab agents, or relab agents remove NAME"});
    return ExitCode::usage;
  }
  const auto book = context.read_book(name);
  if (!book) return context.failed(book.error());
  std::vector<Row> rows;
  for (const auto& [key, agent] : book->state().agents()) rows.push_back({.agent = agent});
  if (rows.empty())
    return context.failed(
        {.fault = Fault::missing,
         .what = "no agent is enrolled",
         .hint = "run `relab-agent enrol` on a machine of the lab, and `relab enrol NAME` here"});
  if (values.count("ping") != 0) {
    const auto keys = context.keys();
    if (!keys) return context.failed(keys.error());
    ask_all(rows, *keys, book->state(), name,
            std::chrono::seconds(values["patience"].as<unsigned>()));
  }
  Table table({"agent", "endpoint", "role", "enrolled", "fingerprint", "answer"});
  auto list = nlohmann::json::array();
  for (const auto& row : rows) {
    table.add({{row.agent.name},
               {row.agent.endpoint},
               {row.agent.party.agent_role},
               {iso8601(row.agent.since)},
               {crypto::fingerprint(row.agent.party.sign_key)},
               {row.answer}});
    list.push_back(to_json(row));
  }
  context.out().text(table.print(Style{}));
  context.out().value(list);
  const bool all = values.count("ping") == 0 ||
                   std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.there; });
  return all ? ExitCode::done : ExitCode::unreachable;
}

}  // namespace relab::controller::cli
