/// Entries are independent of each other: one that is damaged, or was put in another one's place,
/// does not open, since its lab, name and time are authenticated with it; the rest stays.

#include "controller/secrets/store.h"

#include <fmt/format.h>
#include <map>

#include "common/base/file.h"
#include "common/base/lock.h"
#include "common/crypto/hash.h"
#include "common/crypto/sealed_secret.h"
#include "common/wire/message.h"
#include "schema/keys.capnp.h"

namespace relab::controller {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t format_version = 1;
constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t mac_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;

struct Entry {
  std::uint64_t set_at;
  Bytes nonce;
  Bytes box;
};

/// The file's content.
struct Content {
  crypto::PublicKey owner = {};
  std::map<SecretId, Entry> entries = {};
};

/// None of its parts can hold a NUL.
std::string associated(const SecretId& id, std::uint64_t set_at) {
  return fmt::format("relab-secret-v1{0}{1}{0}{2}{0}{3}", '\0', id.lab, id.name, set_at);
}

Entry encrypt(const crypto::Secret& key, const SecretId& id, const crypto::Secret& value,
              Instant now) {
  Entry entry{.set_at = unix_millis(now), .nonce = Bytes(nonce_size), .box = {}};
  randombytes_buf(entry.nonce.data(), entry.nonce.size());
  const auto plain = value.padded();
  const auto with = associated(id, entry.set_at);
  entry.box.resize(plain.size() + mac_size);
  crypto_aead_xchacha20poly1305_ietf_encrypt(entry.box.data(), nullptr, plain.view().data(),
                                             plain.size(), bytes_of(with).data(), with.size(),
                                             nullptr, entry.nonce.data(), key.view().data());
  return entry;
}

std::optional<crypto::Secret> decrypt(const crypto::Secret& key, const SecretId& id,
                                      const Entry& entry) {
  if (entry.nonce.size() != nonce_size || entry.box.size() < mac_size) return {};
  crypto::Secret plain(entry.box.size() - mac_size);
  const auto with = associated(id, entry.set_at);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plain.bytes().data(), nullptr, nullptr, entry.box.data(), entry.box.size(),
          bytes_of(with).data(), with.size(), entry.nonce.data(), key.view().data()) != 0)
    return {};
  return plain.unpadded();
}

tl::unexpected<Error> broken(const fs::path& file) {
  return fail(Fault::damaged, fmt::format("{} is not a whole file of secrets", file.string()),
              "restore it from a backup; or remove it, and set every secret anew");
}

Result<Content> content_of(schema::SecretStore::Reader store, const fs::path& file) {
  const auto owner = crypto::public_key(view(store.getSignKey()));
  if (!owner || store.getVersion() != format_version) return broken(file);
  Content content{.owner = *owner, .entries = {}};
  for (const auto entry : store.getEntries()) {
    const auto nonce = view(entry.getNonce());
    const auto box = view(entry.getBox());
    const bool is_new =
        content.entries
            .try_emplace(SecretId{.lab = str(entry.getLab()), .name = str(entry.getName())},
                         Entry{.set_at = entry.getSetAt(),
                               .nonce = Bytes(nonce.begin(), nonce.end()),
                               .box = Bytes(box.begin(), box.end())})
            .second;
    if (!is_new) return broken(file);
  }
  return content;
}

/// Nothing where there is no file.
Result<std::optional<Content>> read(const fs::path& file) {
  RELAB_CHECK(check_private(file, "chmod 600 the file: others may have copied it, or changed it"));
  const auto text = read_small_file(file, message_size_max);
  if (!text && text.error().fault == Fault::missing) return std::optional<Content>();
  if (!text) return fail(text.error());
  const auto store = Message<schema::SecretStore>::parse(bytes_of(*text));
  if (!store) return broken(file);
  RELAB_TRY(auto content, content_of(store->reader(), file));
  return std::optional(std::move(content));
}

Result<void> write(const fs::path& file, const Content& content) {
  Draft<schema::SecretStore> store;
  store->setVersion(format_version);
  store->setSignKey(blob(content.owner));
  auto entries = store->initEntries(static_cast<unsigned>(content.entries.size()));
  unsigned at = 0;
  for (const auto& [id, entry] : content.entries) {
    auto row = entries[at++];
    row.setLab(id.lab);
    row.setName(id.name);
    row.setSetAt(entry.set_at);
    row.setNonce(blob(entry.nonce));
    row.setBox(blob(entry.box));
  }
  const auto message = std::move(store).finish();
  if (message.bytes().size() > message_size_max)
    return fail(Fault::invalid, "there is no room for so many secrets", "remove some of them");
  return replace_file(file, text_of(message.bytes())).during("storing the secrets");
}

Result<void> check_owner_of(const Content& content, const crypto::PublicKey& sign_key,
                            const fs::path& file) {
  if (content.owner == sign_key) return {};
  return fail(
      Fault::conflict,
      fmt::format("the secrets in {} were encrypted by the controller {}, whose keys are "
                  "not these ({})",
                  file.string(), crypto::fingerprint(content.owner), crypto::fingerprint(sign_key)),
      "put its key file back; or move this file away, and set every secret anew");
}

Result<FileLock> lock(const fs::path& file, const std::string& command) {
  RELAB_CHECK(make_private_folder(file.parent_path()));
  return FileLock::take(file.string() + ".lock", "relab secret " + command);
}

Error no_secret(const SecretId& id) {
  return {.fault = Fault::missing,
          .what = fmt::format("no secret '{}' of the lab '{}' is stored", id.name, id.lab),
          .hint = fmt::format("`relab secret set {}` stores it", id.name)};
}

}  // namespace

Result<void> SecretStore::check_name(const std::string& name) {
  if (crypto::is_secret_name(name)) return {};
  return fail(Fault::invalid, fmt::format("'{}' is no name of a secret", name),
              "up to 32 lower-case letters, digits and dashes: tank-key");
}

Result<std::vector<SecretNote>> SecretStore::list(const std::string& lab) const {
  RELAB_TRY(const auto content, read(file_));
  std::vector<SecretNote> notes;
  if (!content) return notes;
  for (const auto& [id, entry] : content->entries)
    if (id.lab == lab) notes.push_back({.name = id.name, .set_at = instant_of(entry.set_at)});
  return notes;
}

Result<void> SecretStore::check_owner(const crypto::PublicKey& sign_key) const {
  RELAB_TRY(const auto content, read(file_));
  return content ? check_owner_of(*content, sign_key, file_) : Result<void>();
}

Result<Instant> SecretStore::set(const crypto::Keys& keys, const SecretId& id,
                                 const crypto::Secret& value, Instant now) const {
  RELAB_CHECK(check_name(id.name));
  if (value.size() == 0) return fail(Fault::invalid, "the secret is empty: nothing was stored");
  if (value.size() > crypto::secret_size_max)
    return fail(Fault::invalid, fmt::format("the secret has more than {} bytes: nothing was stored",
                                            crypto::secret_size_max));
  RELAB_TRY(const auto held, lock(file_, "set"));
  RELAB_TRY(auto content, read(file_));
  if (!content) content = Content{.owner = keys.sign_key()};
  RELAB_CHECK(check_owner_of(*content, keys.sign_key(), file_));
  if (const auto found = content->entries.find(id); found != content->entries.end())
    if (const auto before = decrypt(keys.store_key(), id, found->second);
        before && crypto::equal(before->view(), value.view()))
      return instant_of(found->second.set_at);
  content->entries.insert_or_assign(id, encrypt(keys.store_key(), id, value, now));
  RELAB_CHECK(write(file_, *content));
  return now;
}

Result<StoredSecret> SecretStore::get(const crypto::Keys& keys, const SecretId& id) const {
  RELAB_TRY(const auto content, read(file_));
  if (!content) return fail(no_secret(id));
  RELAB_CHECK(check_owner_of(*content, keys.sign_key(), file_));
  const auto found = content->entries.find(id);
  if (found == content->entries.end()) return fail(no_secret(id));
  auto value = decrypt(keys.store_key(), id, found->second);
  if (value)
    return StoredSecret{.value = std::move(*value), .set_at = instant_of(found->second.set_at)};
  return fail(Fault::damaged,
              fmt::format("the secret '{}' in {} is damaged, or is another one that was put in its "
                          "place",
                          id.name, file_.string()),
              fmt::format("set it anew: `relab secret set {}`", id.name));
}

Result<void> SecretStore::remove(const SecretId& id) const {
  RELAB_TRY(const auto held, lock(file_, "remove"));
  RELAB_TRY(auto content, read(file_));
  if (!content || content->entries.erase(id) == 0) return fail(no_secret(id));
  return write(file_, *content);
}

}  // namespace relab::controller
