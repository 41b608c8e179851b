#include <fmt/format.h>
#include <map>

#include "common/base/signals.h"
#include "common/reflect/notes.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/page/parts.h"
#include "controller/keys/key_file.h"
#include "controller/link/zmq_exchange.h"
#include "controller/report/table.h"
#include "controller/run/book.h"
#include "controller/run/greetings.h"
#include "controller/run/impostor.h"
#include "controller/run/lock.h"
#include "controller/run/session.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

/// An enrolled agent, what is known of it, and what it answered if it was asked.
struct Row {
  AgentRecord agent;
  /// Of the last report that came from it; empty and nothing if none did.
  std::string version = {};
  std::optional<Instant> last_seen = {};
  std::string answer = {};
  /// As it says now.
  std::optional<Greeting> greeting = {};
  /// The task kinds that its role permits, as it said when it last answered.
  std::vector<std::string> kinds = {};

  std::string version_words() const { return version.empty() ? "not known" : version; }
  std::string kinds_words() const {
    if (!kinds.empty()) return std::to_string(kinds.size());
    return answer.empty() ? "not asked" : "no answer";
  }
  std::string role() const { return greeting ? greeting->role : agent.party.agent_role; }
  std::string seen() const { return last_seen ? iso8601(*last_seen) : "never"; }
};

std::vector<Row> rows_of(const State& state) {
  std::map<std::string, Row> rows;
  for (const auto& [key, agent] : state.agents()) rows[agent.name] = {.agent = agent};
  for (const auto& [id, task] : state.tasks()) {
    const auto row = rows.find(task.agent);
    if (row == rows.end() || !task.evidence) continue;
    auto& known = row->second;
    if (task.evidence->signer != known.agent.party.sign_key) continue;
    if (known.last_seen && *known.last_seen >= task.evidence->received) continue;
    known.last_seen = task.evidence->received;
    known.version = str(task.evidence->report.reader().getVersion());
  }
  std::vector<Row> list;
  list.reserve(rows.size());
  for (auto& [name, row] : rows) list.push_back(std::move(row));
  return list;
}

/// What they said of themselves the last time; one by the name of another has another key.
void recall(std::vector<Row>& rows, const Greetings& greetings) {
  const auto all = greetings.read();
  for (auto& row : rows) {
    const auto said = all.find(row.agent.name);
    if (said == all.end() ||
        said->second.fingerprint != crypto::fingerprint(row.agent.party.sign_key))
      continue;
    row.kinds = said->second.kinds;
    if (row.last_seen && *row.last_seen > said->second.seen) continue;
    row.last_seen = said->second.seen;
    row.version = said->second.version;
  }
}

/// That they answered now.
void keep(const std::vector<Row>& rows, const Greetings& greetings, Printer& out) {
  for (const auto& row : rows) {
    if (!row.greeting) continue;
    const auto kept = greetings.note(row.agent.name, row.agent.party.sign_key, *row.greeting,
                                     row.last_seen.value_or(now_of_system().wall));
    if (!kept) return out.note("what they said is not kept: " + kept.error().what);
  }
}

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
    if (greeting) {
      rows[i].greeting = *greeting;
      rows[i].version = greeting->version;
      rows[i].kinds = greeting->kinds;
      rows[i].last_seen = now_of_system().wall;
    }
    rows[i].answer = greeting ? fmt::format("up, {} task(s) held, clock off by {}",
                                            greeting->held.size(), human(greeting->skew))
                              : name_impostor(*sessions[i], state, keys, Millis(1500)).sentence();
  }
}

nlohmann::json to_json(const Row& row) {
  nlohmann::json json = {{"name", row.agent.name},
                         {"endpoint", row.agent.endpoint},
                         {"fingerprint", crypto::fingerprint(row.agent.party.sign_key)},
                         {"machineId", row.agent.party.machine_id},
                         {"role", row.role()},
                         {"enrolled", iso8601(row.agent.since)},
                         {"version", row.version}};
  if (row.last_seen) json["lastSeen"] = iso8601(*row.last_seen);
  if (!row.answer.empty()) json["up"] = row.greeting.has_value(), json["answer"] = row.answer;
  if (!row.kinds.empty()) json["kinds"] = row.kinds;
  if (!row.greeting) return json;
  json["manifests"] = nlohmann::json::array();
  for (const auto& manifest : row.greeting->manifests)
    if (auto parsed = nlohmann::json::parse(manifest, nullptr, false); !parsed.is_discarded())
      json["manifests"].push_back(std::move(parsed));
  return json;
}

void print_rows(const std::vector<Row>& rows, Printer& out) {
  Table table({"agent", "role", "version", "endpoint", "fingerprint", "kinds", "enrolled",
               "last seen", "answer"});
  auto list = nlohmann::json::array();
  for (const auto& row : rows) {
    table.add({{row.agent.name},
               {row.role()},
               {row.version_words()},
               {row.agent.endpoint},
               {crypto::fingerprint(row.agent.party.sign_key)},
               {row.kinds_words()},
               {iso8601(row.agent.since)},
               {row.seen()},
               {row.answer}});
    list.push_back(to_json(row));
  }
  out.text(table.print(Style{}));
  out.value(list);
}

/// Of one thing in a list of a manifest.
std::string words_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.contains("argv"))
    return fmt::format("{}: {}", value.value("name", ""),
                       fmt::join(value["argv"].get<std::vector<std::string>>(), " "));
  const auto first = value.value("first", 0U);
  const auto last = value.value("last", 0U);
  return first == last ? std::to_string(first) : fmt::format("{} to {}", first, last);
}

/// Within one and the same manifest lie the kind and everything that an order names.
void print_manifest(const nlohmann::json& manifest, Printer& out) {
  out.line("");
  out.line(Printer::harmless(fmt::format("The role '{}' permits, as the agent itself says:",
                                         manifest.value("name", std::string()))));
  std::vector<std::string> kinds;
  for (const auto& kind : manifest.value("kinds", nlohmann::json::array()))
    kinds.push_back(reflect::snake_case(kind.get<std::string>()));
  out.line(Printer::harmless(fmt::format("  kinds     {}", fmt::join(kinds, ", "))));
  for (const auto* list : {"pools", "vmids", "paths", "units", "packages", "mounts", "commands"}) {
    std::vector<std::string> words;
    for (const auto& value : manifest.value(list, nlohmann::json::array()))
      words.push_back(words_of(value));
    out.line(Printer::harmless(fmt::format(
        "  {:<8}  {}", list, words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", ")))));
  }
}

void print_manifests(const Greeting& greeting, Printer& out) {
  for (const auto& manifest : greeting.manifests)
    if (const auto parsed = nlohmann::json::parse(manifest, nullptr, false); !parsed.is_discarded())
      print_manifest(parsed, out);
  if (greeting.manifests.empty())
    out.line("What its roles permit, the agent does not tell: see roles.d on its machine.");
}

/// What an agent may be ordered comes from itself: it is its machine that limits it.
void print_one(const Row& row, Printer& out) {
  out.line(fmt::format("agent        {}", row.agent.name));
  out.line(fmt::format("role         {}", row.role()));
  out.line(fmt::format("version      {}", row.version_words()));
  out.line(fmt::format("endpoint     {}", row.agent.endpoint));
  out.line(fmt::format("fingerprint  {}", crypto::fingerprint(row.agent.party.sign_key)));
  out.line(fmt::format("machine id   {}", row.agent.party.machine_id));
  out.line(fmt::format("enrolled     {}", iso8601(row.agent.since)));
  out.line(fmt::format("last seen    {}", row.seen()));
  out.line(fmt::format("answer       {}", row.answer));
  if (row.greeting) {
    std::vector<std::string> kinds;
    for (const auto& kind : row.greeting->kinds) kinds.push_back(reflect::snake_case(kind));
    out.line(fmt::format("task kinds   {}", fmt::join(kinds, ", ")));
    print_manifests(*row.greeting, out);
  }
  out.value(to_json(row));
}

Error not_enrolled(const std::string& agent) {
  return {.fault = Fault::missing,
          .what = fmt::format("no agent '{}' is enrolled", agent),
          .hint = "`relab agents` lists them"};
}

ExitCode remove(Context& context, const std::string& lab, const std::string& agent) {
  const auto removed = [&]() -> Result<void> {
    RELAB_TRY(const auto lock, lock_lab(context.state_dir(lab), "agents remove"));
    RELAB_TRY(const auto keys, context.keys());
    RELAB_TRY(auto book, context.open_book(lab));
    if (!book.state().agents().contains(agent)) return fail(not_enrolled(agent));
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

nlohmann::json agents_json(const State& state) {
  auto list = nlohmann::json::array();
  for (const auto& row : rows_of(state)) list.push_back(to_json(row));
  return list;
}

ExitCode agents(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto name = str(lab->reader().getName());
  const auto arguments = arguments_of(values);
  if (arguments.size() == 2 && arguments[0] == "remove") return remove(context, name, arguments[1]);
  const bool one = arguments.size() == 2 && arguments[0] == "show";
  if (!arguments.empty() && !one) {
    context.out().error({.fault = Fault::invalid,
                         .what = "usage: relab agents, or relab agents show | remove NAME"});
    return ExitCode::usage;
  }
  const auto book = context.read_book(name);
  if (!book) return context.failed(book.error());
  auto rows = rows_of(book->state());
  const Greetings greetings(context.state_dir(name));
  recall(rows, greetings);
  if (one) {
    std::erase_if(rows, [&](const Row& row) { return row.agent.name != arguments[1]; });
    if (rows.empty()) return context.failed(not_enrolled(arguments[1]));
  }
  if (rows.empty())
    return context.failed(
        {.fault = Fault::missing,
         .what = "no agent is enrolled",
         .hint = "run `relab-agent enrol` on a machine of the lab, and `relab enrol NAME` here"});
  const bool asked = one || values.count("ping") != 0;
  if (asked) {
    const auto keys = context.keys();
    if (!keys) return context.failed(keys.error());
    ask_all(rows, *keys, book->state(), name,
            std::chrono::seconds(values["patience"].as<unsigned>()));
    keep(rows, greetings, context.out());
  }
  if (one)
    print_one(rows[0], context.out());
  else
    print_rows(rows, context.out());
  const bool all = !asked || std::all_of(rows.begin(), rows.end(),
                                         [](const Row& row) { return row.greeting.has_value(); });
  return all ? ExitCode::done : ExitCode::unreachable;
}

}  // namespace relab::controller::cli
