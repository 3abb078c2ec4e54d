-- Whether somebody has shown to hold both the mailbox and the way in to the account. Until then what was set up for it may be a stranger's, who registered
-- the address before its owner did. Accounts that were verified before this was asked keep what they have.
ALTER TABLE users ADD COLUMN owner_proved boolean NOT NULL DEFAULT false;
UPDATE users SET owner_proved = email_verified;
