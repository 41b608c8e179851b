#include <filesystem>
#include <fmt/format.h>

#include "common/base/file.h"
#include "common/wire/message.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/page/compose.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

/// As the rehearsal itself told it: what it found is in no ledger.
Result<nlohmann::json> rehearsed(const std::filesystem::path& folder) {
  RELAB_TRY(const auto text, read_small_file(folder / rehearsed_report, message_size_max));
  auto report = nlohmann::json::parse(text, nullptr, false);
  if (!report.is_object() || report.value("basis", "") != "rehearsal")
    return fail(Fault::damaged,
                fmt::format("{} is no report of a rehearsal", (folder / rehearsed_report).string()),
                "rehearse anew");
  return report;
}

Result<nlohmann::json> compose(Context& context, schema::Lab::Reader lab) {
  const auto name = str(lab.getName());
  RELAB_TRY(const auto book, context.read_book(name));
  if (book.state().is_rehearsed()) return rehearsed(context.ledger_file(name).parent_path());
  return compose_report({.book = book, .evidences = context.evidences(lab, book.state())});
}

}  // namespace

void declare_report(po::options_description& options) {
  options.add_options()("html", po::value<std::string>()->value_name("FILE"),
                        "write the report as one HTML page into this file");
}

ExitCode report(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto path = values.count("html") != 0 ? values["html"].as<std::string>() : std::string();
  if (path.empty() && !context.out().json()) {
    context.out().error(
        {.fault = Fault::invalid, .what = "where to?", .hint = "usage: relab report --html FILE"});
    return ExitCode::usage;
  }
  const auto composed = compose(context, lab->reader());
  if (!composed) return context.failed(composed.error());
  if (!path.empty()) {
    if (const auto written = write_page(path, *composed); !written)
      return context.failed(written.error());
    context.out().line(fmt::format("The report is in {}.", path));
  }
  context.out().line((*composed)["verdict"]["sentence"].get<std::string>());
  context.out().value(*composed);
  return ExitCode::done;
}

}  // namespace relab::controller::cli
