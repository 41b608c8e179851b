// Keys of what must outlive an installation, and what was proven with another one.

#include "tests/unit/controller/gates/proof_scene.h"

namespace relab::controller {

TEST_CASE("key.proven: a pool is plain only if the audit says so, too", "[controller][gates]") {
  Scene scene;
  scene.lab_text = replaced(scene.lab_text, R"(, "encrypted": true)", "");
  CHECK(scene.only(key_proven).standing == schema::Standing::MISSING);

  const auto audited = [&](const std::string& encryption) {
    scene.say("auditZfs", "{}",
              R"({"datasets": [{"name": "datapool", "encryption": "off"},
      {"name": "datapool/documents", "encryption": ")" +
                  encryption + R"("}]})");
  };
  audited("off");
  CHECK(scene.only(key_proven).met());
  audited("aes-256-gcm");
  CHECK(scene.only(key_proven).why ==
        "lab.toml says that it is not encrypted, and datapool/documents is");
  scene.audit();
  CHECK(scene.only(key_proven).why == "the audit has seen no dataset of it");
}

TEST_CASE("backup.drilled, key.proven: with another secret than the one that is stored now",
          "[controller][gates]") {
  Scene scene;
  const auto prove = [&] {
    scene.say("zfsKeyCheck", R"({"dataset": "datapool", "key": "datapool-key"})",
              R"({"proven": true, "poolGuid": "7001"})");
  };
  const bool is_file = GENERATE(true, false);
  const auto drill = [&] { is_file ? scene.verify() : scene.verify_pool(); };
  is_file ? scene.all_is_well() : scene.all_is_well_in_a_pool();
  prove();
  CHECK(scene.only(backup_drilled).met());
  CHECK(scene.only(key_proven).met());

  SECTION("that was set anew") {
    const auto anew = the_secrets_since + Millis(1);
    scene.secrets["datapool-key"] = anew;
    CHECK(scene.only(backup_drilled).why == "the secret 'datapool-key' is another one since");
    CHECK(scene.only(key_proven).why == "the secret 'datapool-key' is another one since");
    CHECK(scene.copy().met());
    scene.since = anew;
    prove();
    CHECK(scene.only(key_proven).met());
    CHECK_FALSE(scene.only(backup_drilled).met());
    drill();
    CHECK(scene.only(backup_drilled).met());
  }
  SECTION("that was removed") {
    scene.secrets = {{"other-key", the_secrets_since}};
    CHECK(scene.only(backup_drilled).why == "the secret 'datapool-key' is not stored any more");
    CHECK_FALSE(scene.only(key_proven).met());
  }
}

TEST_CASE("key.proven: a dataset with a key of its own needs its own proof",
          "[controller][gates]") {
  Scene scene;
  scene.say("auditZfs", "{}", R"({"pools": [{"name": "datapool", "guid": "7001"}], "datasets": [
      {"name": "datapool", "encryption": "aes-256-gcm", "encryptionRoot": "datapool"},
      {"name": "datapool/in", "encryption": "aes-256-gcm", "encryptionRoot": "datapool"},
      {"name": "datapool/own", "encryption": "aes-256-gcm", "encryptionRoot": "datapool/own"},
      {"name": "datapoolx", "encryption": "aes-256-gcm", "encryptionRoot": "datapoolx"}]})");
  const auto prove = [&](const std::string& dataset) {
    scene.say("zfsKeyCheck", R"({"key": "datapool-key", "dataset": ")" + dataset + "\"}",
              R"({"proven": true, "poolGuid": "7001"})");
  };
  prove("datapool");

  CHECK(scene.only(key_proven).subject == "key of datapool/own");
  CHECK(scene.only(key_proven).why == "it was never tried");
  prove("datapool/own");
  CHECK(scene.only(key_proven).met());
}

TEST_CASE("key.proven: what is encrypted below a plain pool needs its proof",
          "[controller][gates]") {
  Scene scene;
  scene.lab_text = replaced(scene.lab_text, R"(, "encrypted": true)", "");
  scene.say("auditZfs", "{}", R"({"pools": [{"name": "datapool", "guid": "7001"}], "datasets": [
      {"name": "datapool", "encryption": "off"},
      {"name": "datapool/own", "encryption": "aes-256-gcm", "encryptionRoot": "datapool/own"},
      {"name": "datapool/own/in", "encryption": "aes-256-gcm",
       "encryptionRoot": "datapool/own"}]})");
  CHECK(scene.only(key_proven).why == "it was never tried");

  scene.say("zfsKeyCheck", R"({"key": "datapool-key", "dataset": "datapool/own"})",
            R"({"proven": true, "poolGuid": "7001"})");

  CHECK(scene.only(key_proven).met());
}

TEST_CASE("key.proven: by ZFS, of the pool that was seen", "[controller][gates]") {
  Scene scene;
  scene.audit();
  const std::string params = R"({"dataset": "datapool", "key": "datapool-key"})";
  CHECK(scene.only(key_proven).standing == schema::Standing::MISSING);
  scene.say("zfsKeyCheck", params, R"({"proven": true, "poolGuid": "7001"})");
  CHECK(scene.only(key_proven).met());

  SECTION("another key") {
    scene.say("zfsKeyCheck", params,
              R"({"proven": false, "words": "Incorrect key", "poolGuid": "7001"})");
    CHECK(scene.only(key_proven).why == "the key does not open it: Incorrect key");
  }
  SECTION("loaded is not proven") {
    scene.say("zfsKeyCheck", params, R"({"keyStatus": "available", "poolGuid": "7001"})");
  }
  SECTION("the key of another pool of that name") {
    scene.say("zfsKeyCheck", params, R"({"proven": true, "poolGuid": "7002"})");
  }
  SECTION("the key of a dataset below it") {
    scene.say("zfsKeyCheck", params, R"({"proven": false, "poolGuid": "7001"})");
    scene.say("zfsKeyCheck", R"({"dataset": "datapool/documents", "key": "datapool-key"})",
              R"({"proven": true, "poolGuid": "7001"})");
  }
  CHECK_FALSE(scene.only(key_proven).met());
}

}  // namespace relab::controller
