#pragma once

/// The controller's keys on the disk: sealed under a passphrase by Argon2id.

#include <filesystem>
#include <string>

#include "common/base/result.h"
#include "common/crypto/keys.h"

namespace relab::controller {

/// How much work guessing a passphrase is to be.
enum class Hardness { interactive, moderate };

struct KeyOwner {
  std::string name;
  crypto::PublicKey sign_key;
};

/// Fault::conflict if the file is there already: keys are never written over.
Result<void> store_keys(const std::filesystem::path& path, const crypto::Keys& keys,
                        const std::string& name, const crypto::Secret& passphrase,
                        Hardness hardness);

/// Fault::missing if there is no file, ::refused for a wrong passphrase, ::damaged for a file that
/// is not whole.
Result<crypto::Keys> load_keys(const std::filesystem::path& path, const crypto::Secret& passphrase);

/// What the file tells without a passphrase. The key is proven only when the keys are loaded, the
/// name never.
Result<KeyOwner> read_owner(const std::filesystem::path& path);

}  // namespace relab::controller
