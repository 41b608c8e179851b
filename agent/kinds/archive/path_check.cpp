#include "agent/kinds/archive/path_check.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/places.h"

namespace relab::agent::archive {

namespace {

/// The machine itself needs no look at its guests.
Places places_for(PathCheck::Params::Reader params, Host& host, Gaps& gaps) {
  const bool in_guests = any_in(params.getPaths(), [](auto path) { return path.getVmid() != 0; });
  return in_guests ? find_places(
                         host, [](std::string_view) { return false; }, gaps)
                   : this_machine(host);
}

Result<Path> find(const Places& places, schema::PathCheck::Place::Reader wanted) {
  const auto place = std::ranges::find(places.all, wanted.getVmid(),
                                       [](const auto& known) { return known->vmid(); });
  if (place == places.all.end())
    return fail(Fault::missing,
                fmt::format("no container {} of this host can be looked into", wanted.getVmid()));
  return (*place)->on_host(str(wanted.getPath()));
}

}  // namespace

Result<Message<PathCheck::Facts>> PathCheck::observe(Params::Reader params, Host& host) {
  if (params.getPaths().size() == 0)
    return fail(Fault::invalid, "no path was given to look for",
                "name paths in the step, or in [[keep]] of lab.toml");
  Gaps gaps;
  const auto places = places_for(params, host, gaps);
  Draft<Facts> facts;
  const auto wanted = params.getPaths();
  auto found = facts->initPlaces(wanted.size());
  for (unsigned i = 0; i < wanted.size(); ++i) {
    found[i].setPath(wanted[i].getPath());
    found[i].setVmid(wanted[i].getVmid());
    const auto real = find(places, wanted[i]);
    if (real)
      found[i].setReal(real->string());
    else
      found[i].setWhy(real.error().sentence());
  }
  return std::move(facts).finish();
}

}  // namespace relab::agent::archive
