#include "agent/trust/trust.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "schema/role.capnp.h"

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

fs::path keys_file(const fs::path& state_dir) { return state_dir / "agent.key"; }
fs::path trust_file(const fs::path& state_dir) { return state_dir / "trust"; }

Result<void> check_private(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 077U) == 0) return {};
  return fail(Fault::damaged, fmt::format("{} can be read by others than its owner", path.string()),
              "chmod 600 the file; if others may have read it, remove it and enrol the agent anew");
}

}  // namespace

Result<crypto::Keys> load_or_make_keys(const fs::path& state_dir) {
  RELAB_TRY(auto known, load_keys(state_dir));
  if (known) return std::move(*known);
  auto keys = crypto::Keys::make();
  RELAB_CHECK(make_private_folder(state_dir));
  RELAB_CHECK(replace_file(keys_file(state_dir), text_of(keys.secret().view()))
                  .during("storing the agent's keys"));
  return keys;
}

Result<std::optional<crypto::Keys>> load_keys(const fs::path& state_dir) {
  const auto path = keys_file(state_dir);
  auto text = read_small_file(path, crypto::Keys::secret_size * 2);
  if (!text && text.error().fault == Fault::missing) return std::optional<crypto::Keys>();
  if (!text) return fail(text.error());
  RELAB_CHECK(check_private(path));
  const auto size = text->size();
  auto keys = crypto::Keys::from(bytes_of(*text));
  crypto::wipe(*text);
  if (keys) return std::optional(std::move(*keys));
  return fail(
      Fault::damaged,
      fmt::format("{} holds {} bytes, not {}", path.string(), size, crypto::Keys::secret_size),
      "restore it from a backup, or remove it and enrol the agent anew");
}

Trust Trust::of(std::string lab, std::vector<Party> controllers) {
  Trust trust;
  trust.lab_ = std::move(lab);
  trust.controllers_ = std::move(controllers);
  return trust;
}

Result<Trust> Trust::load(const fs::path& state_dir) {
  Trust trust;
  const auto text = read_small_file(trust_file(state_dir));
  if (!text && text.error().fault == Fault::missing) return trust;
  if (!text) return fail(text.error());
  auto set = Message<schema::TrustSet>::parse(bytes_of(*text))
                 .during("reading " + trust_file(state_dir).string());
  if (!set) return fail(set.error());
  trust.version_ = set->reader().getVersion();
  trust.lab_ = str(set->reader().getLab());
  for (const auto statement : set->reader().getControllers()) {
    RELAB_TRY(auto party, read_identity(view(statement), schema::Role::CONTROLLER));
    trust.controllers_.push_back(std::move(party));
  }
  return trust;
}

Result<void> Trust::store(const fs::path& state_dir) const {
  Draft<schema::TrustSet> set;
  set->setVersion(version_);
  set->setLab(lab_);
  auto list = set->initControllers(static_cast<unsigned>(controllers_.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, blob(controllers_[i].statement));
  return replace_file(trust_file(state_dir), text_of(std::move(set).finish().bytes()))
      .during("storing the pinned controllers");
}

Result<void> Trust::add(const fs::path& state_dir, const Party& controller,
                        const std::string& lab) {
  if (!empty() && lab_ != lab)
    return fail(Fault::conflict,
                fmt::format("this agent belongs to the lab '{}', not to '{}'", lab_, lab),
                "remove its state directory to give it to another lab");
  auto next = *this;
  std::erase_if(next.controllers_,
                [&](const Party& party) { return party.sign_key == controller.sign_key; });
  next.controllers_.push_back(controller);
  next.lab_ = lab;
  ++next.version_;
  RELAB_CHECK(next.store(state_dir));
  *this = std::move(next);
  return {};
}

Result<void> Trust::remove(const fs::path& state_dir, const crypto::PublicKey& sign_key) {
  auto next = *this;
  if (std::erase_if(next.controllers_,
                    [&](const Party& party) { return party.sign_key == sign_key; }) == 0)
    return fail(Fault::missing, fmt::format("no controller with the key {} is pinned",
                                            crypto::fingerprint(sign_key)));
  ++next.version_;
  RELAB_CHECK(next.store(state_dir));
  *this = std::move(next);
  return {};
}

const Party* Trust::by_sign_key(const crypto::PublicKey& key) const {
  const auto found = std::ranges::find(controllers_, key, &Party::sign_key);
  return found == controllers_.end() ? nullptr : &*found;
}

const Party* Trust::by_curve_key(std::string_view z85) const {
  const auto found = std::ranges::find_if(
      controllers_, [&](const Party& party) { return crypto::z85(party.curve_key) == z85; });
  return found == controllers_.end() ? nullptr : &*found;
}

}  // namespace relab::agent
