#include "controller/keys/key_file.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "common/crypto/hash.h"
#include "common/wire/message.h"
#include "schema/keys.capnp.h"

namespace relab::controller {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t format_version = 1;
/// A file that asks for more than this to be computed was not written by us.
constexpr std::uint64_t operations_max = 16;
constexpr std::uint64_t memory_max = std::uint64_t{2} << 30U;

struct Work {
  std::uint64_t operations;
  std::uint64_t memory;
  int algorithm;
};

Work work_of(Hardness hardness) {
  if (hardness == Hardness::interactive)
    return {crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
            crypto_pwhash_ALG_ARGON2ID13};
  return {crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
          crypto_pwhash_ALG_ARGON2ID13};
}

Result<crypto::Secret> stretch(const crypto::Secret& passphrase, ByteView salt, const Work& work) {
  crypto::Secret key(crypto_secretbox_KEYBYTES);
  const auto* text = reinterpret_cast<const char*>(passphrase.view().data());
  if (crypto_pwhash(key.bytes().data(), key.size(), text, passphrase.size(), salt.data(),
                    work.operations, static_cast<std::size_t>(work.memory), work.algorithm) != 0)
    return fail(Fault::busy, "there is not enough memory to work on the passphrase",
                fmt::format("it needs {} MiB", work.memory >> 20U));
  return key;
}

Result<Message<schema::SealedKeys>> read_sealed(const fs::path& path) {
  RELAB_CHECK(check_private(
      path, "chmod 600 the file; if others may have copied it, think of a new passphrase"));
  auto text = read_small_file(path, 65536);
  if (!text && text.error().fault == Fault::missing)
    return fail(Fault::missing,
                fmt::format("there are no controller keys: {} does not exist", path.string()),
                "run `relab init` first");
  if (!text) return fail(text.error());
  auto sealed = Message<schema::SealedKeys>::parse(bytes_of(*text));
  const auto broken = [&] {
    return fail(Fault::damaged, fmt::format("{} is not a whole key file", path.string()),
                "restore it from a backup; without it every agent must be enrolled anew");
  };
  if (!sealed) return broken();
  const auto reader = sealed->reader();
  const bool sane =
      reader.getVersion() == format_version && reader.getSalt().size() == crypto_pwhash_SALTBYTES &&
      reader.getNonce().size() == crypto_secretbox_NONCEBYTES && reader.getSignKey().size() == 32 &&
      reader.getBox().size() == crypto::Keys::secret_size + crypto_secretbox_MACBYTES &&
      reader.getOperations() >= 1 && reader.getOperations() <= operations_max &&
      reader.getMemory() >= crypto_pwhash_MEMLIMIT_MIN && reader.getMemory() <= memory_max &&
      reader.getAlgorithm() == crypto_pwhash_ALG_ARGON2ID13;
  if (!sane) return broken();
  return sealed;
}

}  // namespace

Result<void> store_keys(const fs::path& path, const crypto::Keys& keys, const std::string& name,
                        const crypto::Secret& passphrase, Hardness hardness) {
  std::error_code error;
  if (fs::exists(path, error))
    return fail(Fault::conflict, fmt::format("{} exists already", path.string()),
                "keys are never written over; move the file away to make new ones");
  const auto work = work_of(hardness);
  Bytes salt(crypto_pwhash_SALTBYTES);
  Bytes nonce(crypto_secretbox_NONCEBYTES);
  randombytes_buf(salt.data(), salt.size());
  randombytes_buf(nonce.data(), nonce.size());
  RELAB_TRY(const auto key, stretch(passphrase, salt, work));
  const auto secret = keys.secret().view();
  Bytes box(secret.size() + crypto_secretbox_MACBYTES);
  crypto_secretbox_easy(box.data(), secret.data(), secret.size(), nonce.data(), key.view().data());
  Draft<schema::SealedKeys> sealed;
  sealed->setVersion(format_version);
  sealed->setSalt(blob(salt));
  sealed->setOperations(work.operations);
  sealed->setMemory(work.memory);
  sealed->setAlgorithm(work.algorithm);
  sealed->setNonce(blob(nonce));
  sealed->setBox(blob(box));
  sealed->setName(name);
  sealed->setSignKey(blob(keys.sign_key()));
  RELAB_CHECK(make_private_folder(path.parent_path()));
  return replace_file(path, text_of(std::move(sealed).finish().bytes()))
      .during("storing the controller's keys");
}

Result<crypto::Keys> load_keys(const fs::path& path, const crypto::Secret& passphrase) {
  RELAB_TRY(const auto sealed, read_sealed(path));
  const auto reader = sealed.reader();
  RELAB_TRY(const auto key,
            stretch(passphrase, view(reader.getSalt()),
                    {reader.getOperations(), reader.getMemory(), reader.getAlgorithm()}));
  crypto::Secret secret(crypto::Keys::secret_size);
  const auto box = view(reader.getBox());
  if (crypto_secretbox_open_easy(secret.bytes().data(), box.data(), box.size(),
                                 reader.getNonce().begin(), key.view().data()) != 0)
    return fail(Fault::refused, fmt::format("the passphrase does not open {}", path.string()),
                "or the file was changed; nothing was done");
  auto keys = crypto::Keys::from(secret.view());
  // It stands in clear beside the box, which does not protect it.
  if (keys && !crypto::equal(view(reader.getSignKey()), keys->sign_key()))
    return fail(Fault::damaged,
                fmt::format("{} names another public key than the one it holds", path.string()),
                "restore it from a backup");
  return keys;
}

Result<KeyOwner> read_owner(const fs::path& path) {
  RELAB_TRY(const auto sealed, read_sealed(path));
  RELAB_TRY(const auto key, crypto::public_key(view(sealed.reader().getSignKey())));
  return KeyOwner{.name = str(sealed.reader().getName()), .sign_key = key};
}

}  // namespace relab::controller
