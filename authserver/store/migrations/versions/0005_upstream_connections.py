"""logins and logouts elsewhere, and which connection a session and an event are about

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

def upgrade() -> None:
    op.create_table('upstream_logins',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('connection', sa.String(length=128), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('logged_in_since', sa.BigInteger(), nullable=True),
    sa.Column('ticket_digest', sa.LargeBinary(length=32), nullable=True),
    sa.Column('identity', sa.JSON(), nullable=True),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_upstream_logins'))
    )
    op.create_table('upstream_logouts',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('return_to', sa.String(), nullable=True),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_upstream_logouts'))
    )
    op.create_table('upstream_assertions',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_upstream_assertions'))
    )
    op.add_column('login_sessions', sa.Column('connection', sa.String(length=128), nullable=True))
    op.add_column('events', sa.Column('connection', sa.String(length=128), nullable=True))

def downgrade() -> None:
    op.drop_column('events', 'connection')
    op.drop_column('login_sessions', 'connection')
    op.drop_table('upstream_assertions')
    op.drop_table('upstream_logouts')
    op.drop_table('upstream_logins')
