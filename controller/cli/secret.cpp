#include <fmt/format.h>
#include <unistd.h>

#include "common/crypto/sealed_secret.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/keys/key_file.h"
#include "controller/report/table.h"
#include "controller/secrets/store.h"
#include "controller/secrets/uses.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

constexpr auto usage =
    "usage: relab secret set NAME, relab secret list, or relab secret remove NAME";

std::string text_of_users(const SecretUsers& users, const std::string& name) {
  const auto found = users.find(name);
  if (found == users.end()) return {};
  std::vector<std::string> texts;
  for (const auto& user : found->second)
    texts.push_back(fmt::format("{} on {}", user.step, user.agent));
  return fmt::format("{}", fmt::join(texts, ", "));
}

nlohmann::json json_of_users(const SecretUsers& users, const std::string& name) {
  auto list = nlohmann::json::array();
  if (const auto found = users.find(name); found != users.end())
    for (const auto& user : found->second)
      list.push_back({{"step", user.step}, {"agent", user.agent}});
  return list;
}

/// Typed twice, since nobody sees it.
Result<crypto::Secret> typed(const Context& context, const std::string& name) {
  RELAB_TRY(auto first, context.ask(fmt::format("Secret '{}'", name)));
  RELAB_TRY(const auto second, context.ask("Once more"));
  if (crypto::equal(first.view(), second.view())) return first;
  return fail(Fault::invalid, "the two differ: nothing was stored", "try again");
}

/// From a pipe without the end of its line: that is the habit of `echo`, not a part of a
/// passphrase.
Result<crypto::Secret> piped() {
  RELAB_TRY(const auto text, crypto::Secret::read(STDIN_FILENO, crypto::secret_size_max + 2)
                                 .during("reading the secret from standard input"));
  return text.without_line_end();
}

Result<crypto::Secret> new_value(const Values& values, const Context& context,
                                 const std::string& name) {
  if (values.count("file") != 0)
    return Context::read_secret(values["file"].as<std::string>(), crypto::secret_size_max);
  return ::isatty(STDIN_FILENO) == 1 ? typed(context, name) : piped();
}

ExitCode set(const Values& values, Context& context, schema::Lab::Reader lab,
             const std::string& name) {
  const auto now = wall_clock();
  const auto since = [&]() -> Result<Instant> {
    RELAB_TRY(const auto keys, context.keys());
    const SecretStore store(context.secret_file());
    RELAB_CHECK(store.check_owner(keys.sign_key()));
    RELAB_TRY(const auto value, new_value(values, context, name));
    return store.set(keys, {.lab = str(lab.getName()), .name = name}, value, now);
  }();
  if (!since) return context.failed(since.error());
  const auto users = text_of_users(secret_users(lab), name);
  context.out().line(fmt::format("The secret '{}' is stored; {}.", name,
                                 users.empty() ? "no step of the lab uses it" : "for " + users));
  context.out().value({{"secret", name}, {"set", iso8601(*since)}});
  return ExitCode::done;
}

ExitCode remove(Context& context, schema::Lab::Reader lab, const std::string& name) {
  const auto removed =
      SecretStore(context.secret_file()).remove({.lab = str(lab.getName()), .name = name});
  if (!removed) return context.failed(removed.error());
  context.out().line(fmt::format("The secret '{}' is removed.", name));
  if (const auto users = text_of_users(secret_users(lab), name); !users.empty())
    context.out().note(fmt::format("note: the plan still uses it: {}", users));
  context.out().value({{"secret", name}, {"removed", true}});
  return ExitCode::done;
}

ExitCode list(Context& context, schema::Lab::Reader lab) {
  const SecretStore store(context.secret_file());
  if (const auto owner = read_owner(context.key_file()))
    if (const auto ours = store.check_owner(owner->sign_key); !ours)
      return context.failed(ours.error());
  const auto notes = store.list(str(lab.getName()));
  if (!notes) return context.failed(notes.error());
  auto missing = secret_users(lab);
  const auto users = missing;
  Table table({"secret", "set", "used by"});
  auto rows = nlohmann::json::array();
  for (const auto& note : *notes) {
    missing.erase(note.name);
    table.add({{note.name}, {iso8601(note.set_at)}, {text_of_users(users, note.name)}});
    rows.push_back({{"name", note.name},
                    {"set", iso8601(note.set_at)},
                    {"usedBy", json_of_users(users, note.name)}});
  }
  for (const auto& [name, steps] : missing) {
    table.add({{name}, {"missing"}, {text_of_users(users, name)}});
    rows.push_back({{"name", name}, {"set", nullptr}, {"usedBy", json_of_users(users, name)}});
  }
  if (rows.empty())
    context.out().line("No secret is stored, and no step of the lab uses one.");
  else
    context.out().text(table.print(Style{}));
  context.out().value({{"secrets", rows}});
  return ExitCode::done;
}

}  // namespace

void declare_secret(po::options_description& options) {
  options.add_options()(
      "file", po::value<std::string>()->value_name("PATH"),
      "set: take the bytes of this file as they are. Without it the secret is typed twice, or read "
      "from standard input without the end of its line");
}

ExitCode secret(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto arguments = arguments_of(values);
  const auto verb = argument_of(values, 0);
  if (arguments.size() == 2 && (verb == "set" || verb == "remove")) {
    if (const auto named = SecretStore::check_name(arguments[1]); !named) {
      context.out().error(named.error());
      return ExitCode::usage;
    }
    return verb == "set" ? set(values, context, lab->reader(), arguments[1])
                         : remove(context, lab->reader(), arguments[1]);
  }
  if (arguments.size() == 1 && verb == "list") return list(context, lab->reader());
  context.out().error({.fault = Fault::invalid, .what = usage});
  return ExitCode::usage;
}

}  // namespace relab::controller::cli
