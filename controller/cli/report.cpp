#include <fmt/format.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/page/compose.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

Result<nlohmann::json> compose(Context& context, schema::Lab::Reader lab) {
  RELAB_TRY(const auto book, context.read_book(str(lab.getName())));
  return compose_report({.book = book,
                         .evidences = context.evidences(lab, book.state()),
                         .basis = book.state().is_rehearsed() ? "rehearsal" : "runs"});
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
