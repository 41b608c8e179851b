#include "agent/kinds/probes/mount_check.h"

#include <fmt/format.h>

#include "agent/kinds/probes/patience.h"
#include "agent/kinds/support/mounts.h"

namespace relab::agent::probes {

namespace {

using Params = schema::MountCheck;
using Facts = schema::MountCheck::Facts;
using Access = schema::MountCheck::Access;

Result<Message<Facts>> look(const std::string& path, Host& host) {
  Draft<Facts> facts;
  facts->setPath(path);
  RELAB_TRY(const auto mount, mount_at(host, path));
  if (!mount) return std::move(facts).finish();
  RELAB_TRY(const auto room, host.file_system(path));
  facts->setMounted(true);
  facts->setSource(mount->source);
  facts->setType(mount->type);
  facts->setReadOnly(mount->read_only);
  facts->setSize(room.size);
  facts->setFree(room.free);
  return std::move(facts).finish();
}

}  // namespace

Result<Message<Facts>> MountCheck::observe(Params::Reader params, Host& host) {
  const auto path = str(params.getPath());
  const Path parsed(path);
  if (!parsed.is_absolute() || parsed.lexically_normal().string() != path ||
      (path != "/" && !parsed.has_filename()))
    return fail(Fault::invalid, fmt::format("'{}' is no absolute path", path));
  return look_until_met<MountCheck>(params, host, fmt::format("waiting for a mount on {}", path),
                                    [&](std::uint32_t) { return look(path, host); });
}

Result<void> MountCheck::judge(Params::Reader params, Facts::Reader facts) {
  const auto path = view(params.getPath());
  if (!facts.getMounted())
    return fail(Fault::missing, fmt::format("nothing is mounted on {}", path),
                "mount it; what is written there now goes to the file system above");
  const auto differs = [&](std::string_view what, capnp::Text::Reader wanted,
                           capnp::Text::Reader found) -> Result<void> {
    if (wanted.size() == 0 || view(wanted) == view(found)) return {};
    return fail(Fault::conflict, fmt::format("on {} the {} is '{}', not '{}'", path, what,
                                             view(found), view(wanted)));
  };
  RELAB_CHECK(differs("mounted source", params.getSource(), facts.getSource()));
  RELAB_CHECK(differs("type of the file system", params.getType(), facts.getType()));
  if (params.getAccess() == Access::READ_WRITE && facts.getReadOnly())
    return fail(Fault::conflict, fmt::format("{} is mounted read-only", path),
                "file systems turn so after errors: look at the kernel's log");
  if (params.getAccess() == Access::READ_ONLY && !facts.getReadOnly())
    return fail(Fault::conflict, fmt::format("{} can be written to", path));
  if (facts.getFree() < params.getFree())
    return fail(Fault::conflict,
                fmt::format("on {} there is room for {}, not for {}", path,
                            human_bytes(facts.getFree()), human_bytes(params.getFree())));
  return {};
}

}  // namespace relab::agent::probes
