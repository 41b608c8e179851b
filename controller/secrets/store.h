#pragma once

/// The controller's secrets on the disk: each encrypted by itself, with a key that only the
/// controller's own keys give.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/keys.h"

namespace relab::controller {

struct SecretId {
  std::string lab;
  std::string name;

  auto operator<=>(const SecretId&) const = default;
};

/// A value, and since when it is the one of its name.
struct StoredSecret {
  crypto::Secret value;
  Instant set_at;
};

/// What is known of a secret without keys.
struct SecretNote {
  std::string name;
  Instant set_at;

  bool operator==(const SecretNote&) const = default;
};

/// One file for all labs. Every call reads it anew, so that what somebody else has set counts at
/// once. Fault::damaged where it is not whole, ::refused where others can read it.
class SecretStore {
 public:
  explicit SecretStore(std::filesystem::path file) : file_(std::move(file)) {}

  /// Fault::invalid for a name that is none.
  static Result<void> check_name(const std::string& name);
  /// Those of a lab, by name; none where there is no file.
  Result<std::vector<SecretNote>> list(const std::string& lab) const;
  /// Fault::conflict where it is encrypted by the keys of another controller, as in all below.
  Result<void> check_owner(const crypto::PublicKey& sign_key) const;
  /// In place of the one before; since when it is that value: `now`, or earlier if it was already.
  /// Fault::invalid for a name that is none, and a value that is empty or too long.
  Result<Instant> set(const crypto::Keys& keys, const SecretId& id, const crypto::Secret& value,
                      Instant now) const;
  /// Fault::missing if there is none of that name; ::damaged if it is not what was set under it.
  Result<StoredSecret> get(const crypto::Keys& keys, const SecretId& id) const;
  /// Fault::missing if there is none of that name.
  Result<void> remove(const SecretId& id) const;

 private:
  std::filesystem::path file_;
};

}  // namespace relab::controller
