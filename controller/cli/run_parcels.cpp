// Whether a part of the plan can have the packages that it brings into guests, before anything of
// it is ordered.

#include "controller/cli/run_part.h"

namespace relab::controller::cli {

std::filesystem::path PartRunner::packages_folder() const {
  if (!manner_.packages.empty()) return manner_.packages;
  return std::filesystem::path(context_.globals().lab_file).parent_path() / "packages";
}

Result<std::vector<OfferedParcel>> PartRunner::parcels_of(
    const PhasePlan& plan, const std::set<std::string>& finished) const {
  std::vector<const PlannedStep*> steps;
  for (const auto& track : plan.tracks)
    for (const auto& step : track)
      if (!installed_role(step).empty() && !finished.contains(step.path)) steps.push_back(&step);
  if (steps.empty()) return std::vector<OfferedParcel>();
  RELAB_TRY(auto parcels, read_parcels(packages_folder()));
  RELAB_CHECK(check_parcels(steps, parcels));
  return parcels;
}

std::optional<PartEnd> PartRunner::stopped_for_parcels(const PhasePlan& plan) {
  const auto there = parcels_of(plan, {});
  if (there) return {};
  auto end = failed(there.error());
  end.code = ExitCode::usage;
  return end;
}

}  // namespace relab::controller::cli
