#include "proto/dns/types.h"

#include <array>
#include <charconv>

namespace sekisho::dns {
namespace {

template <typename T>
struct Named {
  T value;
  std::string_view name;
};

constexpr Named<RRType> kTypes[] = {
    {RRType::kA, "A"},         {RRType::kNS, "NS"},           {RRType::kMD, "MD"},
    {RRType::kMF, "MF"},       {RRType::kCNAME, "CNAME"},     {RRType::kSOA, "SOA"},
    {RRType::kMB, "MB"},       {RRType::kMG, "MG"},           {RRType::kMR, "MR"},
    {RRType::kNULL, "NULL"},   {RRType::kWKS, "WKS"},         {RRType::kPTR, "PTR"},
    {RRType::kHINFO, "HINFO"}, {RRType::kMINFO, "MINFO"},     {RRType::kMX, "MX"},
    {RRType::kTXT, "TXT"},     {RRType::kRP, "RP"},           {RRType::kAFSDB, "AFSDB"},
    {RRType::kX25, "X25"},     {RRType::kISDN, "ISDN"},       {RRType::kRT, "RT"},
    {RRType::kNSAP, "NSAP"},   {RRType::kSIG, "SIG"},         {RRType::kKEY, "KEY"},
    {RRType::kPX, "PX"},       {RRType::kAAAA, "AAAA"},       {RRType::kLOC, "LOC"},
    {RRType::kNXT, "NXT"},     {RRType::kSRV, "SRV"},         {RRType::kNAPTR, "NAPTR"},
    {RRType::kKX, "KX"},       {RRType::kCERT, "CERT"},       {RRType::kA6, "A6"},
    {RRType::kDNAME, "DNAME"}, {RRType::kOPT, "OPT"},         {RRType::kAPL, "APL"},
    {RRType::kDS, "DS"},       {RRType::kSSHFP, "SSHFP"},     {RRType::kIPSECKEY, "IPSECKEY"},
    {RRType::kRRSIG, "RRSIG"}, {RRType::kNSEC, "NSEC"},       {RRType::kDNSKEY, "DNSKEY"},
    {RRType::kDHCID, "DHCID"}, {RRType::kNSEC3, "NSEC3"},     {RRType::kNSEC3PARAM, "NSEC3PARAM"},
    {RRType::kTLSA, "TLSA"},   {RRType::kSMIMEA, "SMIMEA"},   {RRType::kHIP, "HIP"},
    {RRType::kCDS, "CDS"},     {RRType::kCDNSKEY, "CDNSKEY"}, {RRType::kOPENPGPKEY, "OPENPGPKEY"},
    {RRType::kCSYNC, "CSYNC"}, {RRType::kZONEMD, "ZONEMD"},   {RRType::kSVCB, "SVCB"},
    {RRType::kHTTPS, "HTTPS"}, {RRType::kSPF, "SPF"},         {RRType::kEUI48, "EUI48"},
    {RRType::kEUI64, "EUI64"}, {RRType::kTKEY, "TKEY"},       {RRType::kTSIG, "TSIG"},
    {RRType::kIXFR, "IXFR"},   {RRType::kAXFR, "AXFR"},       {RRType::kMAILB, "MAILB"},
    {RRType::kMAILA, "MAILA"}, {RRType::kANY, "ANY"},         {RRType::kURI, "URI"},
    {RRType::kCAA, "CAA"},
};

constexpr Named<RRClass> kClasses[] = {
    {RRClass::kIN, "IN"},     {RRClass::kCH, "CH"},   {RRClass::kHS, "HS"},
    {RRClass::kNONE, "NONE"}, {RRClass::kANY, "ANY"},
};

constexpr Named<Rcode> kRcodes[] = {
    {Rcode::kNoError, "NOERROR"},     {Rcode::kFormErr, "FORMERR"}, {Rcode::kServFail, "SERVFAIL"},
    {Rcode::kNXDomain, "NXDOMAIN"},   {Rcode::kNotImp, "NOTIMP"},   {Rcode::kRefused, "REFUSED"},
    {Rcode::kYXDomain, "YXDOMAIN"},   {Rcode::kYXRRSet, "YXRRSET"}, {Rcode::kNXRRSet, "NXRRSET"},
    {Rcode::kNotAuth, "NOTAUTH"},     {Rcode::kNotZone, "NOTZONE"}, {Rcode::kBadVers, "BADVERS"},
    {Rcode::kBadCookie, "BADCOOKIE"},
};

bool SameText(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

// The number behind `prefix` ("TYPE123"), at most `max`.
std::optional<uint16_t> ParseNumbered(std::string_view text, std::string_view prefix, unsigned max) {
  if (text.size() <= prefix.size() || !SameText(text.substr(0, prefix.size()), prefix)) return std::nullopt;
  unsigned v = 0;
  const char* end = text.data() + text.size();
  const auto [stop, err] = std::from_chars(text.data() + prefix.size(), end, v);
  if (err != std::errc() || stop != end || v > max) return std::nullopt;
  return static_cast<uint16_t>(v);
}

template <typename T, size_t N>
std::string NameOf(const Named<T> (&table)[N], T value, const char* prefix) {
  for (const auto& e : table) {
    if (e.value == value) return std::string(e.name);
  }
  return prefix + std::to_string(static_cast<unsigned>(value));
}

template <typename T, size_t N>
std::optional<T> ValueOf(const Named<T> (&table)[N], std::string_view text) {
  for (const auto& e : table) {
    if (SameText(e.name, text)) return e.value;
  }
  return std::nullopt;
}

}  // namespace

std::string ToString(RRType type) { return NameOf(kTypes, type, "TYPE"); }

std::optional<RRType> ParseRRType(std::string_view text) {
  if (const auto known = ValueOf(kTypes, text)) return known;
  const auto number = ParseNumbered(text, "TYPE", 65535);
  if (!number) return std::nullopt;
  return static_cast<RRType>(*number);
}

std::string ToString(RRClass rrclass) { return NameOf(kClasses, rrclass, "CLASS"); }

std::string ToString(Rcode rcode) { return NameOf(kRcodes, rcode, "RCODE"); }

std::optional<Rcode> ParseRcode(std::string_view text) {
  if (const auto known = ValueOf(kRcodes, text)) return known;
  const auto number = ParseNumbered(text, "RCODE", 4095);
  if (!number) return std::nullopt;
  return static_cast<Rcode>(*number);
}

}  // namespace sekisho::dns
