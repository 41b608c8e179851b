#include "agent/kinds/system/directory.h"

#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/system/rights.h"

namespace relab::agent::system {

namespace {

using Params = schema::Directory;
using Facts = schema::Directory::Facts;

constexpr auto no_parents = "give the task `parents = true` to have the folders above it made";
constexpr Rights parent_rights = {.uid = 0, .gid = 0, .mode = 0755};

Result<std::vector<std::string>> missing_above(Host& host, const Path& path) {
  std::vector<std::string> missing;
  Path walked = "/";
  for (const auto& part : path.parent_path().relative_path()) {
    walked /= part;
    const auto status = host.status(walked);
    if (!status && status.error().fault != Fault::missing) return fail(status.error());
    if (!status) missing.push_back(walked.string());
  }
  return missing;
}

/// `manner` is "exactly" these rights, or only if it is not there "yet".
Change making(const std::string& path, const Rights& rights, const std::string& manner) {
  return {.what = fmt::format("+ {}/, {}", path, words_of(rights)),
          .how = {path, to_text(rights), manner}};
}

}  // namespace

Result<Message<Facts>> Directory::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_path(view(params.getPath())));
  const auto path = str(params.getPath());
  Draft<Facts> facts;
  facts->setPath(path);
  RELAB_TRY(const auto wanted, resolve(host, {.owner = str(params.getOwner()),
                                              .group = str(params.getGroup()),
                                              .mode = str(params.getMode())}));
  store(wanted, facts->initWanted());
  RELAB_TRY(const auto in_the_way, obstacle_on_the_way(host, path));
  facts->setObstacle(in_the_way);
  if (!in_the_way.empty()) return std::move(facts).finish();
  RELAB_TRY(const auto missing, missing_above(host, path));
  auto list = facts->initMissing(size_of(missing));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, missing[i]);
  const auto status = host.status(path);
  if (!status && status.error().fault != Fault::missing) return fail(status.error());
  if (!status) return std::move(facts).finish();
  if (status->type != FileType::directory) {
    facts->setObstacle(fmt::format("it is a {}", name(status->type)));
    return std::move(facts).finish();
  }
  facts->setThere(true);
  store({.uid = status->uid, .gid = status->gid, .mode = status->mode}, facts->initRights());
  return std::move(facts).finish();
}

Result<std::vector<Change>> Directory::plan(Params::Reader params, Facts::Reader facts) {
  const auto path = str(params.getPath());
  if (facts.getObstacle().size() != 0)
    return refuse(fmt::format("{} cannot be that folder: {}", path, view(facts.getObstacle())),
                  "give a path without symbolic links, or take away what is in the way by hand");
  if (!facts.getThere() && !params.getParents() && facts.getMissing().size() != 0)
    return fail(Fault::missing, fmt::format("there is no {}", view(facts.getMissing()[0])),
                no_parents);
  std::vector<Change> changes;
  if (params.getParents())
    for (const auto parent : facts.getMissing())
      changes.push_back(making(str(parent), parent_rights, "yet"));
  const auto now = load(facts.getRights());
  const auto wanted = load(facts.getWanted());
  if (!facts.getThere()) changes.push_back(making(path, wanted, "exactly"));
  if (facts.getThere() && now != wanted)
    changes.push_back(
        {.what = fmt::format("~ {}/, {} becomes {}", path, words_of(now), words_of(wanted)),
         .how = {path, to_text(wanted), "exactly"}});
  return changes;
}

Result<void> Directory::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() == 3);
  if (how[2] == "yet") {
    const auto status = host.status(how[0]);
    if (status || status.error().fault != Fault::missing)
      return status ? Result<void>() : fail(status.error());
  }
  auto done = host.put_directory(how[0], from_text(how[1]));
  if (!done && done.error().fault == Fault::missing && done.error().hint.empty())
    done.error().hint = no_parents;
  return done;
}

}  // namespace relab::agent::system
