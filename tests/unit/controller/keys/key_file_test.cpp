// The controller's keys under their passphrase.

#include "controller/keys/key_file.h"

#include <sys/stat.h>

#include "common/base/file.h"
#include "common/wire/message.h"
#include "schema/keys.capnp.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

crypto::Secret passphrase(std::string_view text) { return crypto::Secret::of(bytes_of(text)); }

/// A key file with the least work that libsodium allows, so that each try is quick.
class Stored {
 public:
  Stored() {
    crypto::start();
    const Bytes salt(crypto_pwhash_SALTBYTES, 1);
    const Bytes nonce(crypto_secretbox_NONCEBYTES, 2);
    Bytes key(crypto_secretbox_KEYBYTES);
    REQUIRE(crypto_pwhash(key.data(), key.size(), "correct horse", 13, salt.data(), 1,
                          crypto_pwhash_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13) == 0);
    const auto secret = keys().secret().view();
    Bytes box(secret.size() + crypto_secretbox_MACBYTES);
    crypto_secretbox_easy(box.data(), secret.data(), secret.size(), nonce.data(), key.data());
    Draft<schema::SealedKeys> sealed;
    sealed->setVersion(1);
    sealed->setSalt(blob(salt));
    sealed->setOperations(1);
    sealed->setMemory(crypto_pwhash_MEMLIMIT_MIN);
    sealed->setAlgorithm(crypto_pwhash_ALG_ARGON2ID13);
    sealed->setNonce(blob(nonce));
    sealed->setBox(blob(box));
    sealed->setName("admin");
    sealed->setSignKey(blob(keys().sign_key()));
    message = std::move(sealed).finish();
    write(message.bytes());
  }
  static const crypto::Keys& keys() {
    static const auto made = must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 5)));
    return made;
  }
  void write(ByteView bytes) const { must(replace_file(path, text_of(bytes))); }
  Result<crypto::Keys> load() const { return load_keys(path, passphrase("correct horse")); }

  Scratch scratch;
  std::filesystem::path path = scratch.path() / "controller.key";
  Message<schema::SealedKeys> message = Draft<schema::SealedKeys>().finish();
};

}  // namespace

TEST_CASE("key file: keys come back under the right passphrase only", "[controller][keys]") {
  crypto::start();
  const Scratch scratch;
  const auto path = scratch.path() / "folder" / "controller.key";
  const auto keys = crypto::Keys::make();

  must(store_keys(path, keys, "admin", passphrase("correct horse"), Hardness::interactive));

  CHECK(must(load_keys(path, passphrase("correct horse"))).sign_key() == keys.sign_key());
  CHECK(load_keys(path, passphrase("correct hors")).error().fault == Fault::refused);
  CHECK(load_keys(path, passphrase("")).error().fault == Fault::refused);
  const auto owner = must(read_owner(path));
  CHECK(owner.name == "admin");
  CHECK(owner.sign_key == keys.sign_key());
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600);
}

TEST_CASE("key file: keys are never written over", "[controller][keys]") {
  const Stored stored;

  const auto again = store_keys(stored.path, crypto::Keys::make(), "admin", passphrase("x"),
                                Hardness::interactive);

  CHECK(again.error().fault == Fault::conflict);
  CHECK(must(stored.load()).sign_key() == Stored::keys().sign_key());
}

TEST_CASE("key file: one that is not there says what to do", "[controller][keys]") {
  const Scratch scratch;

  const auto keys = load_keys(scratch.path() / "controller.key", passphrase("x"));

  CHECK(keys.error().fault == Fault::missing);
  CHECK(keys.error().hint == "run `relab init` first");
}

TEST_CASE("key file: one cut short is damaged", "[controller][keys]") {
  const Stored stored;
  const auto whole = stored.message.bytes();

  for (std::size_t size = 0; size < whole.size(); ++size) {
    stored.write(whole.first(size));
    CHECK(stored.load().error().fault == Fault::damaged);
  }
}

TEST_CASE("key file: no changed bit gives other keys, or another public key",
          "[controller][keys]") {
  const Stored stored;
  const auto whole = stored.message.bytes();

  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes changed(whole.begin(), whole.end());
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const auto sealed = Message<schema::SealedKeys>::parse(changed);
    // Work that would take long is refused by its own test.
    if (sealed && sealed->reader().getMemory() > (1U << 20U)) continue;
    stored.write(changed);
    INFO("bit " << bit);
    const auto loaded = stored.load();
    if (!loaded) continue;
    CHECK(loaded->sign_key() == Stored::keys().sign_key());
    CHECK(must(read_owner(stored.path)).sign_key == Stored::keys().sign_key());
  }
}

TEST_CASE("key file: hostile parameters are refused before any work", "[controller][keys]") {
  using Change = void (*)(schema::SealedKeys::Builder);
  const auto change = GENERATE(values<Change>({
      [](auto sealed) { sealed.setVersion(2); },
      [](auto sealed) { sealed.setOperations(0); },
      [](auto sealed) { sealed.setOperations(17); },
      [](auto sealed) { sealed.setOperations(~std::uint64_t{0}); },
      [](auto sealed) { sealed.setMemory(0); },
      [](auto sealed) { sealed.setMemory((std::uint64_t{2} << 30U) + 1); },
      [](auto sealed) { sealed.setMemory(~std::uint64_t{0}); },
      [](auto sealed) { sealed.setAlgorithm(1); },
      [](auto sealed) { sealed.setAlgorithm(-1); },
      [](auto sealed) { sealed.initSalt(15); },
      [](auto sealed) { sealed.initNonce(23); },
      [](auto sealed) { sealed.initBox(16); },
      [](auto sealed) { sealed.initBox(4096); },
      [](auto sealed) { sealed.initSignKey(31); },
  }));
  const Stored stored;
  Draft<schema::SealedKeys> draft(stored.message.reader());
  change(*draft);
  stored.write(std::move(draft).finish().bytes());

  CHECK(stored.load().error().fault == Fault::damaged);
  CHECK(read_owner(stored.path).error().fault == Fault::damaged);
}

}  // namespace relab::controller
