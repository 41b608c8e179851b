#include "controller/adopt/adopt.h"

#include <fmt/format.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"

namespace relab::controller::cli {

namespace {

/// The host that is named, or else the only one.
Result<schema::Lab::Host::Reader> find_host(schema::Lab::Reader lab, const std::string& name) {
  for (const auto host : lab.getHosts())
    if (view(host.getName()) == name || (name.empty() && lab.getHosts().size() == 1)) return host;
  if (name.empty())
    return fail(Fault::invalid, fmt::format("the lab has {} hosts", lab.getHosts().size()),
                "usage: relab adopt HOST");
  return fail(Fault::missing, fmt::format("the lab has no host '{}'", name),
              "`relab check` reads the lab file");
}

Result<std::string> describe(Context& context, schema::Lab::Reader lab,
                             schema::Lab::Host::Reader host) {
  RELAB_TRY(const auto book, context.read_book(str(lab.getName())));
  return controller::adopt(
      {.lab = str(lab.getName()), .host = str(host.getName()), .endpoint = str(host.getAgent())},
      audit_of(book.state(), str(host.getName())));
}

}  // namespace

ExitCode adopt(const Values& values, Context& context) {
  auto& out = context.out();
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto host = find_host(lab->reader(), argument_of(values, 0));
  if (!host) {
    out.error(host.error());
    return ExitCode::usage;
  }
  const auto text = describe(context, lab->reader(), *host);
  if (!text) return context.failed(text.error());
  out.text(*text);
  // Whatever the audit found, what is printed here is a lab file.
  const auto reading = lab::parse_lab(*text, "what was printed");
  auto mistakes = nlohmann::json::array();
  for (const auto& mistake : reading.mistakes) {
    out.note(lab::to_string(mistake));
    mistakes.push_back(lab::to_string(mistake));
  }
  out.value({{"lab", *text}, {"mistakes", mistakes}});
  return reading.lab ? ExitCode::done : ExitCode::failed;
}

}  // namespace relab::controller::cli
