"""device codes, and the interactions that end in one

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

def upgrade() -> None:
    op.create_table('device_codes',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('user_code_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('client_id', sa.String(length=255), nullable=False),
    sa.Column('audience', sa.String(length=255), nullable=True),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('issued_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('expiry_told_at', sa.BigInteger(), nullable=True),
    sa.Column('poll_interval', sa.Integer(), nullable=False),
    sa.Column('polled_at', sa.BigInteger(), nullable=True),
    sa.Column('browser_digest', sa.LargeBinary(length=32), nullable=True),
    sa.Column('user_id', sa.String(length=255), nullable=True),
    sa.Column('decision', sa.String(length=16), nullable=True),
    sa.Column('grant_id', sa.String(length=64), nullable=True),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['clients.client_id'], name=op.f('fk_device_codes_client_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['grant_id'], ['grants.grant_id'], name=op.f('fk_device_codes_grant_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_device_codes_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_device_codes')),
    sa.UniqueConstraint('user_code_digest', name=op.f('uq_device_codes_user_code_digest'))
    )
    op.create_index(op.f('ix_device_codes_expires_at'), 'device_codes', ['expires_at'])
    op.create_index(op.f('ix_device_codes_grant_id'), 'device_codes', ['grant_id'])
    op.add_column('interactions', sa.Column('device', sa.LargeBinary(length=32), nullable=True))

def downgrade() -> None:
    op.drop_column('interactions', 'device')
    op.drop_table('device_codes')
