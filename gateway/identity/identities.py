"""All that says who a caller is, as one value: what is in force is exchanged in one assignment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.errors import UnknownCredential
from gateway.facts.accounts import Accounts
from gateway.facts.principal import Account, Secret, can_name_account
from gateway.identity.front_proxy import FrontProxy, Told
from gateway.identity.tokens import Tokens, has_form

NO_ACCOUNTS = Accounts()


@dataclass(frozen=True, slots=True)
class Identities:
    accounts: Accounts = field(default=NO_ACCOUNTS)
    tokens: Tokens | None = None
    front_proxy: FrontProxy | None = None
    admits_unknown_keys: bool = True
    """As an account each, named by a keyed hash."""

    def takes_as_token(self, credential: str) -> bool:
        return self.tokens is not None and has_form(credential)

    async def by_credential(self, credential: str, secret: Secret, now_us: int) -> Account:
        """Raises `IdentityUnavailable`, and `UnknownCredential`, whose text tells nothing of it.

        What has the form of a token is one, and never tried as a key.
        """
        if self.tokens is not None:
            known = self.tokens.known(credential, now_us)
            if known is None and has_form(credential):
                known = await self.tokens.account(credential, now_us)
            if known is not None:
                return self._with_what_is_listed(known)
        if self.accounts:
            listed = self.accounts.find(secret.credential_hash(credential))
            if listed is not None:
                return listed
        if self.admits_unknown_keys:
            return Account(secret.anonymous_account_id(credential))
        raise UnknownCredential("The API key is not known here. Check it, or ask for one.")

    def by_front_proxy(self, proxy: FrontProxy, told: Told) -> Account | None:
        """None where the proxy says nothing of the caller, who then needs a credential.

        Raises `MalformedRequest` and `UnknownCredential`.
        """
        named = proxy.account(told)
        if named is not None:
            return self._with_what_is_listed(named)
        certificate = proxy.certificate_name(told)
        if certificate is None or proxy.certificate is None:
            return None
        listed = self.accounts.with_certificate(certificate)
        if listed is not None:
            return listed
        if proxy.certificate.unknown == "admit" and can_name_account(certificate):
            return self._with_what_is_listed(Account(certificate))
        raise UnknownCredential(
            "The client certificate is not known here. Ask for it to be listed."
        )

    def _with_what_is_listed(self, account: Account) -> Account:
        """What the token or the proxy does not say, the accounts file may."""
        listed = self.accounts.named(account.id)
        if listed is None:
            return account
        created_at_s = account.created_at_s
        return replace(
            account,
            plan=account.plan or listed.plan,
            organization=account.organization or listed.organization,
            attributes=_merged(listed.attributes, account.attributes),
            created_at_s=listed.created_at_s if created_at_s is None else created_at_s,
        )


def _merged(listed: Mapping[str, str], said: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({**listed, **said}) if said else listed
