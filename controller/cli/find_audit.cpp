#include "controller/cli/find_audit.h"

#include <fmt/format.h>
#include <vector>

#include "common/base/number.h"

namespace relab::controller::cli {

Result<const RunRecord*> find_audit(const State& state, const std::string& name) {
  std::vector<const RunRecord*> audits;
  for (const auto& run : state.runs())
    if (run.phase == "0a") audits.push_back(&run);
  if (name == "last" || name.starts_with("last~")) {
    RELAB_TRY(const auto back,
              name == "last" ? Result<std::size_t>(0) : parse_number<std::size_t>(name.substr(5)));
    if (back < audits.size()) return audits[audits.size() - 1 - back];
    return fail(Fault::missing,
                fmt::format("there are only {} audits, no '{}'", audits.size(), name));
  }
  std::vector<const RunRecord*> found;
  for (const auto* run : audits)
    if (run->id.text().starts_with(name) || run->id.brief() == name) found.push_back(run);
  if (found.size() == 1) return found[0];
  return fail(Fault::missing,
              found.empty() ? fmt::format("no audit has the run '{}'", name)
                            : fmt::format("'{}' begins the ids of {} runs", name, found.size()),
              "`last`, `last~1`, or an id as `relab status` shows it");
}

}  // namespace relab::controller::cli
