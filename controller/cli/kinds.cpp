#include "controller/lab/kinds.h"

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/lab/json_schema.h"

namespace relab::controller::cli {

ExitCode kinds(const Values& values, Context& context) {
  const auto name = argument_of(values, 0);
  if (name.empty()) {
    context.out().text(lab::describe_kinds());
    context.out().value({{"kinds", lab::describe_kinds()}});
    return ExitCode::done;
  }
  const auto description = lab::describe_kind(name);
  if (!description) {
    context.out().error(description.error());
    return ExitCode::usage;
  }
  context.out().text(*description);
  context.out().value({{"kind", name}, {"description", *description}});
  return ExitCode::done;
}

ExitCode schema(const Values& /*values*/, Context& context) {
  context.out().raw(lab::json_schema());
  return ExitCode::done;
}

}  // namespace relab::controller::cli
