// The DNS's numbers: types, classes, opcodes, response codes, extended errors.
//
// Enums are open: a value that has no name here is still a valid value (RFC 3597).
//
// Threads: values. Standards: IANA "Domain Name System (DNS) Parameters"; RFC 8914 for EDE.
#ifndef SEKISHO_PROTO_DNS_TYPES_H_
#define SEKISHO_PROTO_DNS_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sekisho::dns {

enum class RRType : uint16_t {
  kNone = 0,
  kA = 1,
  kNS = 2,
  kMD = 3,
  kMF = 4,
  kCNAME = 5,
  kSOA = 6,
  kMB = 7,
  kMG = 8,
  kMR = 9,
  kNULL = 10,
  kWKS = 11,
  kPTR = 12,
  kHINFO = 13,
  kMINFO = 14,
  kMX = 15,
  kTXT = 16,
  kRP = 17,
  kAFSDB = 18,
  kX25 = 19,
  kISDN = 20,
  kRT = 21,
  kNSAP = 22,
  kSIG = 24,
  kKEY = 25,
  kPX = 26,
  kAAAA = 28,
  kLOC = 29,
  kNXT = 30,
  kSRV = 33,
  kNAPTR = 35,
  kKX = 36,
  kCERT = 37,
  kA6 = 38,
  kDNAME = 39,
  kOPT = 41,
  kAPL = 42,
  kDS = 43,
  kSSHFP = 44,
  kIPSECKEY = 45,
  kRRSIG = 46,
  kNSEC = 47,
  kDNSKEY = 48,
  kDHCID = 49,
  kNSEC3 = 50,
  kNSEC3PARAM = 51,
  kTLSA = 52,
  kSMIMEA = 53,
  kHIP = 55,
  kCDS = 59,
  kCDNSKEY = 60,
  kOPENPGPKEY = 61,
  kCSYNC = 62,
  kZONEMD = 63,
  kSVCB = 64,
  kHTTPS = 65,
  kSPF = 99,
  kEUI48 = 108,
  kEUI64 = 109,
  kTKEY = 249,
  kTSIG = 250,
  kIXFR = 251,
  kAXFR = 252,
  kMAILB = 253,
  kMAILA = 254,
  kANY = 255,
  kURI = 256,
  kCAA = 257,
};

enum class RRClass : uint16_t { kIN = 1, kCH = 3, kHS = 4, kNONE = 254, kANY = 255 };

enum class Opcode : uint8_t { kQuery = 0, kIQuery = 1, kStatus = 2, kNotify = 4, kUpdate = 5, kDso = 6 };

// Extended response code: the header's four bits and OPT's eight above them (RFC 6891 section 6.1.3).
enum class Rcode : uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNXDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kYXDomain = 6,
  kYXRRSet = 7,
  kNXRRSet = 8,
  kNotAuth = 9,
  kNotZone = 10,
  kBadVers = 16,
  kBadCookie = 23,
};

enum class Section : uint8_t { kAnswer = 0, kAuthority = 1, kAdditional = 2 };

// Extended DNS error INFO-CODE, RFC 8914 and the IANA registry.
enum class EdeCode : uint16_t {
  kOther = 0,
  kUnsupportedDnskeyAlgorithm = 1,
  kUnsupportedDsDigestType = 2,
  kStaleAnswer = 3,
  kForgedAnswer = 4,
  kDnssecIndeterminate = 5,
  kDnssecBogus = 6,
  kSignatureExpired = 7,
  kSignatureNotYetValid = 8,
  kDnskeyMissing = 9,
  kRrsigsMissing = 10,
  kNoZoneKeyBitSet = 11,
  kNsecMissing = 12,
  kCachedError = 13,
  kNotReady = 14,
  kBlocked = 15,
  kCensored = 16,
  kFiltered = 17,
  kProhibited = 18,
  kStaleNxdomainAnswer = 19,
  kNotAuthoritative = 20,
  kNotSupported = 21,
  kNoReachableAuthority = 22,
  kNetworkError = 23,
  kInvalidData = 24,
  kSignatureExpiredBeforeValid = 25,
  kTooEarly = 26,
  kUnsupportedNsec3Iterations = 27,
  kUnableToConformToPolicy = 28,
  kSynthesized = 29,
};

// "A", "AAAA", "TYPE65400" (RFC 3597); and back, in any case.
std::string ToString(RRType type);
std::optional<RRType> ParseRRType(std::string_view text);
std::string ToString(RRClass rrclass);
// "NOERROR", "NXDOMAIN", "BADVERS", "RCODE12"; and back, in any case.
std::string ToString(Rcode rcode);
std::optional<Rcode> ParseRcode(std::string_view text);

// Types 128–255 and OPT: never data in a zone (RFC 6895 section 3.1).
inline bool IsMetaType(RRType t) {
  const auto v = static_cast<uint16_t>(t);
  return (v >= 128 && v <= 255) || t == RRType::kOPT;
}

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_TYPES_H_
