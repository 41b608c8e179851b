#pragma once

/// What an agent keeps in its state directory beside the journal: its keys, and the controllers
/// that it obeys.

#include <filesystem>
#include <optional>
#include <vector>

#include "common/base/result.h"
#include "common/crypto/identity.h"
#include "common/crypto/keys.h"

namespace relab::agent {

/// Reads the agent's keys, or makes and stores them if there are none yet. Fault::damaged for a
/// file of a wrong size or one that others may read.
Result<crypto::Keys> load_or_make_keys(const std::filesystem::path& state_dir);
/// The same, with nothing if there are none yet.
Result<std::optional<crypto::Keys>> load_keys(const std::filesystem::path& state_dir);

/// The pinned controllers of one lab.
class Trust {
 public:
  static Trust of(std::string lab, std::vector<Party> controllers);
  /// Nobody, if there is no file yet.
  static Result<Trust> load(const std::filesystem::path& state_dir);

  /// Pins one more controller durably; the same one twice is one. Fault::conflict if the agent
  /// belongs to another lab.
  Result<void> add(const std::filesystem::path& state_dir, const Party& controller,
                   const std::string& lab);
  /// Forgets the controller with this signing key durably. Fault::missing if it is not pinned.
  Result<void> remove(const std::filesystem::path& state_dir, const crypto::PublicKey& sign_key);

  bool empty() const { return controllers_.empty(); }
  const std::string& lab() const { return lab_; }
  const std::vector<Party>& controllers() const { return controllers_; }
  const Party* by_sign_key(const crypto::PublicKey& key) const;
  const Party* by_curve_key(std::string_view z85) const;

 private:
  Result<void> store(const std::filesystem::path& state_dir) const;

  std::uint32_t version_ = 0;
  std::string lab_;
  std::vector<Party> controllers_;
};

}  // namespace relab::agent
