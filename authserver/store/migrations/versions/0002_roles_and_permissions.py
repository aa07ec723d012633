"""connections, roles, permissions, and what else is known of a user

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

def upgrade() -> None:
    op.create_table('connections',
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('strategy', sa.String(length=32), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_connections'))
    )
    op.create_table('roles',
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_roles'))
    )
    op.create_table('role_permissions',
    sa.Column('role', sa.String(length=255), nullable=False),
    sa.Column('audience', sa.String(length=255), nullable=False),
    sa.Column('permission', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['audience'], ['resource_servers.identifier'], name=op.f('fk_role_permissions_audience'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role'], ['roles.name'], name=op.f('fk_role_permissions_role'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('role', 'audience', 'permission', name=op.f('pk_role_permissions'))
    )
    op.create_table('user_permissions',
    sa.Column('user_id', sa.String(length=255), nullable=False),
    sa.Column('audience', sa.String(length=255), nullable=False),
    sa.Column('permission', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['audience'], ['resource_servers.identifier'], name=op.f('fk_user_permissions_audience'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_user_permissions_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'audience', 'permission', name=op.f('pk_user_permissions'))
    )
    op.create_table('user_roles',
    sa.Column('user_id', sa.String(length=255), nullable=False),
    sa.Column('role', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['role'], ['roles.name'], name=op.f('fk_user_roles_role'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_user_roles_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'role', name=op.f('pk_user_roles'))
    )
    # Columns are added in place: a rebuilt table would take with it, by cascade, what hangs on its rows.
    op.add_column('grants', sa.Column('claims', sa.JSON(), nullable=True))
    op.add_column('users', sa.Column('connection', sa.String(length=128), server_default='Username-Password-Authentication', nullable=False))
    op.add_column('users', sa.Column('user_metadata', sa.JSON(), nullable=True))
    op.add_column('users', sa.Column('app_metadata', sa.JSON(), nullable=True))
    op.add_column('users', sa.Column('logins_count', sa.Integer(), server_default='0', nullable=False))
    op.add_column('users', sa.Column('last_login', sa.BigInteger(), nullable=True))

def downgrade() -> None:
    for column in ('last_login', 'logins_count', 'app_metadata', 'user_metadata', 'connection'):
        op.drop_column('users', column)
    op.drop_column('grants', 'claims')
    for table in ('user_roles', 'user_permissions', 'role_permissions', 'roles', 'connections'):
        op.drop_table(table)
