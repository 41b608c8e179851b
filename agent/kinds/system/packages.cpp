#include "agent/kinds/system/packages.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/system/apt.h"
#include "agent/kinds/system/dpkg.h"
#include "agent/kinds/system/rights.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

using Params = schema::Packages;
using Facts = schema::Packages::Facts;
using Wanted = schema::Packages::Wanted;
using Texts = std::vector<std::string>;

constexpr std::size_t files_max = 500;
constexpr std::size_t named_max = 30;

/// Of packages and versions: no option of apt, and nothing that it would take for a pattern.
bool is_word(std::string_view text, std::string_view more) {
  const auto is_plain = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  };
  return !text.empty() && is_plain(text[0]) && text[0] != '-' && text[0] != '+' && text[0] != '.' &&
         std::ranges::all_of(text, is_plain);
}

bool is_version(std::string_view text) {
  return is_word(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ.+:~-") && text[0] >= '0' && text[0] <= '9' &&
         !text.ends_with('+') && !text.ends_with('-');
}

/// apt takes a name with a '-' or '+' at its end for an order to remove or to install it.
bool is_package(std::string_view text) {
  return is_word(text, "+.-") && !text.ends_with('-') &&
         (!text.ends_with('+') || text.ends_with("++"));
}

Result<void> check_wish(Params::Reader params) {
  if (params.getPackages().size() == 0) return fail(Fault::invalid, "no package is given");
  for (const auto wanted : params.getPackages()) {
    if (!is_package(view(wanted.getName())))
      return fail(Fault::invalid, fmt::format("'{}' is no package", str(wanted.getName())));
    if (wanted.getVersion().size() != 0 && !is_version(view(wanted.getVersion())))
      return fail(Fault::invalid, fmt::format("'{}' is no version", str(wanted.getVersion())));
  }
  if (params.getFrom().size() == 0) return {};
  return check_path(view(params.getFrom()));
}

bool is_satisfied(Wanted::Reader wanted, const Package* package) {
  return package != nullptr && package->is_installed() &&
         (wanted.getVersion().size() == 0 || view(wanted.getVersion()) == package->version);
}

bool is_satisfied(Wanted::Reader wanted, schema::Packages::Package::Reader package) {
  const auto status = view(package.getStatus());
  return status.size() == 2 && status[1] == 'i' &&
         (wanted.getVersion().size() == 0 ||
          view(wanted.getVersion()) == view(package.getVersion()));
}

struct FoundFile {
  std::string path;
  PackageFile about;
};

Result<std::vector<FoundFile>> read_folder(Host& host, const Path& folder) {
  std::vector<FoundFile> found;
  RELAB_TRY(const auto names, host.list(folder).during("looking for packages"));
  for (const auto& name : names) {
    if (!name.ends_with(".deb")) continue;
    if (found.size() == files_max)
      return fail(Fault::unsupported,
                  fmt::format("{} has more than {} packages", folder.string(), files_max));
    const auto path = (folder / name).string();
    RELAB_TRY(const auto text, output_of(host, {.argv = {"dpkg-deb", "--field", path, "Package",
                                                         "Version", "Architecture"}}));
    RELAB_TRY(auto about, parse_package_file(text).during("reading " + path));
    found.push_back({.path = path, .about = std::move(about)});
  }
  return found;
}

/// The one file of a package, or why there is none.
Result<std::string> choose(const std::vector<FoundFile>& files, Wanted::Reader wanted,
                           const Dpkg& dpkg) {
  std::optional<std::string> chosen;
  for (const auto& file : files) {
    if (file.about.name != view(wanted.getName()) || !dpkg.fits(file.about.architecture)) continue;
    if (wanted.getVersion().size() != 0 && file.about.version != view(wanted.getVersion()))
      continue;
    if (chosen)
      return fail(Fault::conflict,
                  fmt::format("{} and {} are both {}", *chosen, file.path, view(wanted.getName())));
    chosen = file.path;
  }
  if (chosen) return *chosen;
  return fail(Fault::missing, fmt::format("there is no file of {} {}", view(wanted.getName()),
                                          view(wanted.getVersion())));
}

/// What apt is to be told, for all that is not as it should be.
Result<Texts> items_of(Params::Reader params, const Dpkg& dpkg, Host& host, std::string& obstacle) {
  Texts items;
  std::vector<FoundFile> files;
  if (params.getFrom().size() != 0) {
    RELAB_TRY(files, read_folder(host, str(params.getFrom())));
  }
  for (const auto wanted : params.getPackages()) {
    if (is_satisfied(wanted, dpkg.find(view(wanted.getName())))) continue;
    if (params.getFrom().size() != 0) {
      const auto path = choose(files, wanted, dpkg);
      if (!path) obstacle = path.error().what;
      if (path) items.push_back(*path);
    } else {
      const auto version = str(wanted.getVersion());
      items.push_back(str(wanted.getName()) + (version.empty() ? "" : "=" + version));
    }
  }
  return items;
}

void store_packages(Params::Reader params, const Dpkg& dpkg, Facts::Builder facts) {
  auto rows = facts.initPackages(params.getPackages().size());
  for (unsigned i = 0; i < rows.size(); ++i) {
    auto row = rows[i];
    row.setName(params.getPackages()[i].getName());
    const auto* package = dpkg.find(view(params.getPackages()[i].getName()));
    if (package == nullptr) continue;
    // A third letter tells that it has to be installed anew, whatever the two others say.
    row.setStatus(package->broken ? package->status + "R" : package->status);
    row.setVersion(package->version);
    row.setHeld(package->is_held());
  }
}

/// Whether apt would do something about everything that is not as it should be.
std::string left_out(Params::Reader params, const Dpkg& dpkg, const std::vector<AptStep>& steps) {
  for (const auto wanted : params.getPackages()) {
    if (is_satisfied(wanted, dpkg.find(view(wanted.getName())))) continue;
    const bool comes = std::ranges::any_of(steps, [&](const AptStep& step) {
      return step.package == view(wanted.getName()) && (step.verb == "Inst" || step.verb == "Conf");
    });
    if (!comes) return fmt::format("apt would do nothing about {}", view(wanted.getName()));
  }
  return {};
}

std::vector<AptStep> steps_of(Facts::Reader facts) {
  std::vector<AptStep> steps;
  for (const auto step : facts.getSteps())
    steps.push_back({.verb = str(step.getVerb()),
                     .package = str(step.getPackage()),
                     .version = str(step.getVersion())});
  return steps;
}

/// "+ jellyfin 10.10.7, libfoo 1.2; - exim4"
std::string words_of_steps(Facts::Reader facts, const Texts& items) {
  std::string comes;
  std::string goes;
  std::size_t count = 0;
  for (const auto& step : steps_of(facts)) {
    if (step.verb == "Conf") continue;
    auto& words = step.verb == "Inst" ? comes : goes;
    if (++count <= named_max)
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", step.package, step.version);
  }
  // Before the lists are read it cannot be told what else comes.
  if (comes.empty()) comes = fmt::format("{}", fmt::join(items, ", "));
  auto all = "+ packages " + comes;
  if (count > named_max) all += fmt::format(" and {} more", count - named_max);
  if (!goes.empty()) all += "\n        - packages " + goes;
  return all;
}

Result<void> check_installable(Params::Reader params, Facts::Reader facts) {
  for (unsigned i = 0; i < params.getPackages().size(); ++i) {
    const auto package = facts.getPackages()[i];
    if (package.getHeld() && !is_satisfied(params.getPackages()[i], package))
      return refuse(
          fmt::format("{} is on hold, and has the version {}", view(package.getName()),
                      view(package.getVersion())),
          fmt::format("`apt-mark unhold {}`, if it may be changed", view(package.getName())));
  }
  const auto forbidden = forbidden_removals(steps_of(facts), texts_of(params.getRemoveOk()));
  if (!forbidden.empty())
    return refuse(fmt::format("apt would remove {}", fmt::join(forbidden, ", ")),
                  "name them in `remove_ok`, if they may go");
  if (facts.getObstacle().size() == 0 || params.getRefresh()) return {};
  // What is interrupted may be all that is in the way; it is looked at again once that is repaired.
  if (facts.getInterrupted().size() != 0) return {};
  return fail(Fault::missing, fmt::format("apt cannot install that: {}", view(facts.getObstacle())),
              "see whether the names are right, and whether the lists of packages have to be read "
              "first (`refresh = true`)");
}

Result<Texts> items_of(Params::Reader params, Facts::Reader facts) {
  if (params.getFrom().size() != 0) return texts_of(facts.getFiles());
  Texts items;
  for (unsigned i = 0; i < params.getPackages().size(); ++i) {
    const auto wanted = params.getPackages()[i];
    if (is_satisfied(wanted, facts.getPackages()[i])) continue;
    const auto version = str(wanted.getVersion());
    items.push_back(str(wanted.getName()) + (version.empty() ? "" : "=" + version));
  }
  return items;
}

}  // namespace

Result<Message<Facts>> Packages::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  RELAB_TRY(const auto dpkg, Dpkg::read(host));
  std::string obstacle;
  RELAB_TRY(const auto items, items_of(params, dpkg, host, obstacle));
  Draft<Facts> facts;
  store_packages(params, dpkg, *facts);
  facts->setInterrupted(dpkg.interrupted());
  Simulation simulation;
  const bool offline = params.getFrom().size() != 0;
  if (!items.empty()) {
    RELAB_TRY(simulation, simulate(host, {.items = items, .offline = offline}));
    if (simulation.obstacle.empty()) simulation.obstacle = left_out(params, dpkg, simulation.steps);
  }
  facts->setObstacle(obstacle.empty() ? simulation.obstacle : obstacle);
  fill(facts->initSteps(size_of(simulation.steps)), simulation.steps,
       [](schema::Packages::Step::Builder row, const AptStep& step) {
         row.setVerb(step.verb);
         row.setPackage(step.package);
         row.setVersion(step.version);
       });
  auto files = facts->initFiles(offline ? size_of(items) : 0);
  for (unsigned i = 0; i < files.size(); ++i) files.set(i, items[i]);
  return std::move(facts).finish();
}

Result<std::vector<Change>> Packages::plan(Params::Reader params, Facts::Reader facts) {
  std::vector<Change> changes;
  const auto wait = std::to_string(params.getLockWait());
  if (facts.getInterrupted().size() != 0)
    changes.push_back({.what = fmt::format("~ dpkg goes on with what was interrupted: {}",
                                           view(facts.getInterrupted())),
                       .how = {"repair", wait}});
  bool complete = true;
  for (unsigned i = 0; i < params.getPackages().size(); ++i)
    complete = complete && is_satisfied(params.getPackages()[i], facts.getPackages()[i]);
  if (complete) return changes;
  RELAB_CHECK(check_installable(params, facts));
  if (params.getRefresh())
    changes.push_back({.what = "~ lists of packages read anew", .how = {"refresh", wait}});
  RELAB_TRY(const auto items, items_of(params, facts));
  Change install{.what = words_of_steps(facts, items),
                 .how = {"install", wait, params.getFrom().size() != 0 ? "offline" : "online",
                         fmt::format("{}", fmt::join(texts_of(params.getRemoveOk()), " "))}};
  install.how.insert(install.how.end(), items.begin(), items.end());
  changes.push_back(std::move(install));
  return changes;
}

Result<void> Packages::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() >= 2);
  const auto seconds = parse_number<std::uint32_t>(how[1]);
  RELAB_ASSERT(seconds.has_value());
  const std::chrono::seconds wait(*seconds);
  if (how[0] == "repair") return repair(host, wait);
  if (how[0] == "refresh") return refresh(host, {}, wait);
  RELAB_ASSERT(how[0] == "install" && how.size() > 4);
  Installing installing{.items = {how.begin() + 4, how.end()},
                        .offline = how[2] == "offline",
                        .remove_ok = {},
                        .lock_wait = wait};
  for (const auto name : words(how[3])) installing.remove_ok.emplace_back(name);
  return install(host, installing);
}

}  // namespace relab::agent::system
